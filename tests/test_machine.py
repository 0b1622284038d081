"""Random small programs are edited, broken, renamed, deleted and restored; each settled step is as in a fresh process.

``IPYHOT_FUZZ=5000 python -m pytest tests/test_machine.py`` walks through that many programs with a random seed. A failure
prints the shortest walk it found as a test to paste below.
"""

import collections
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import programs
import pytest
from fresh import Fresh
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from programs import Edit, Program, Seed
from shorten import Story, Texts, kind_of, shortened
from walk import Walk, replay

FUZZ = int(os.environ.get("IPYHOT_FUZZ", "0"))


@pytest.fixture(scope="module")
def fresh() -> Iterator[Fresh]:
    fresh = Fresh()
    yield fresh
    fresh.stop()


class Findings:
    """What went wrong, kind by kind, each with the shortest story that did; and what was compared."""

    def __init__(self, top: Path, fresh: Fresh, *, patches: bool) -> None:
        self.top, self.fresh, self.patches = top, fresh, patches
        self.told: collections.Counter[str] = collections.Counter()
        self.stories: dict[str, Story] = {}
        self.counts: collections.Counter[str] = collections.Counter()

    def add(self, error: Exception, story: Story) -> None:
        kind = kind_of(error)
        self.counts[kind] += 1
        if kind not in self.stories or len(str(story)) < len(str(self.stories[kind])):
            self.stories[kind] = story

    def failure_of(self, story: Story) -> BaseException | None:
        try:
            replay(self.top, self.fresh, story, patches=self.patches)
        except Exception as error:
            return error
        return None

    def __str__(self) -> str:
        parts = [f"{count} x {kind}" for kind, count in self.counts.most_common()]
        for kind, story in self.stories.items():
            error = self.failure_of(shortened(story, self.failure_of))
            shown = [str(error), *error.__notes__] if error is not None else ["does not happen again", repr(story)]
            parts += ["", f"--- {kind}", *shown]
        return "\n".join(parts)


class Machine(RuleBasedStateMachine):
    """Draws a program and what happens to it. A failure ends the walk, and is shortened in the end."""

    def __init__(self, findings: Findings) -> None:
        super().__init__()
        self.findings = findings
        self.walk = Walk(findings.top, findings.fresh, findings.told, patches=findings.patches)
        self.program: Program = {}
        self.past: list[Program] = []
        self.good: Program = {}
        self.patience = 3
        self.is_over = bool(findings.stories) and not FUZZ

    @initialize(program=programs.programs)
    def start(self, program: Program) -> None:
        self._save(program)

    def _save(self, program: Program) -> None:
        old, new = self.walk.disk, {name: programs.render(statements) for name, statements in program.items()}
        self.program = program
        self._save_texts({name: new.get(name) for name in sorted({*old, *new}) if new.get(name) != old.get(name)})
        self._remember()

    def _save_texts(self, texts: Texts) -> None:
        if not texts or self.is_over:
            return
        try:
            self.walk.save(texts)
        except Exception as error:
            self.findings.add(error, self.walk.story)
            self.is_over = True

    def _remember(self) -> None:
        self.past.append(self.program)
        if not self.walk.engine.failures:
            self.good, self.patience = self.program, 3
        elif self.good and self.patience:
            self.patience -= 1
            if not self.patience:
                self._save(self.good)

    def _file(self, at: int) -> str:
        names = sorted(self.program)
        return names[at % len(names)]

    @rule(edit=programs.edits)
    def edit(self, edit: Edit) -> None:
        self._save(edit.apply(self.program))

    @rule(edit=programs.edits)
    def edit_what_was_good(self, edit: Edit) -> None:
        self._save(edit.apply(self.good))

    @rule(edits=st.lists(programs.edits, min_size=2, max_size=3))
    def edit_at_once(self, edits: list[Edit]) -> None:
        program = self.good
        for edit in edits:
            program = edit.apply(program)
        self._save(program)

    @rule(edits=st.lists(programs.edits, min_size=2, max_size=3))
    def edit_one_after_the_other(self, edits: list[Edit]) -> None:
        for edit in edits:
            self._save(edit.apply(self.good))

    @rule(at=st.integers(0, 4), place=st.integers(0, 9), seed=programs.broken, edit=programs.edits)
    def break_and_edit_and_mend(self, at: int, place: int, seed: Seed, edit: Edit) -> None:
        if self.program:
            file = self._file(at)
            statements = list(self.program[file])
            statements.insert(place % (len(statements) + 1), *seed.at(self.program, file))
            self._save({**self.program, file: tuple(statements)})
            self._save(edit.apply(self.program))
            self._save({name: tuple(s for s in body if s.kind != "broken") for name, body in self.program.items()})

    @rule(at=st.integers(0, 4), place=st.integers(0, 9), seed=programs.broken)
    def break_(self, at: int, place: int, seed: Seed) -> None:
        if self.program:
            file = self._file(at)
            statements = list(self.program[file])
            statements.insert(place % (len(statements) + 1), *seed.at(self.program, file))
            self._save({**self.program, file: tuple(statements)})

    @rule()
    def mend(self) -> None:  # no precondition: what is drawn must not depend on what is found
        if self.walk.engine.failures:
            self._save(self.good)

    @rule(seeds=programs.bodies)
    def create(self, seeds: tuple[Seed, ...]) -> None:
        free = [name for name in programs.FILES if name not in self.program]
        if free:
            program = {**self.program, free[0]: ()}
            for seed in seeds:
                program[free[0]] += seed.at(program, free[0])
            self._save(program)

    @rule(at=st.integers(0, 4), to=st.integers(0, 4), how=st.sampled_from(["delete", "rename"]), is_followed=st.booleans())
    def delete_or_rename(self, at: int, to: int, how: str, is_followed: bool) -> None:
        free = [name for name in programs.FILES if name not in self.program]
        if how == "rename" and free and self.program:
            new = free[to % len(free)]
            self._save(programs.moved(self.program, self._file(at), new, is_followed=is_followed))
        elif self.program:
            file = self._file(at)
            program = {name: body for name, body in self.program.items() if name != file}
            self._save(programs.without_imports_of(program, file) if is_followed else program)

    @rule(at=st.integers(0, 4), age=st.integers(0, 7), is_whole=st.booleans())
    def restore(self, at: int, age: int, is_whole: bool) -> None:
        past = self.past[-1 - age % len(self.past)]
        file = programs.FILES[at]
        if is_whole:
            self._save(past)
        elif file in past:
            self._save({**self.program, file: past[file]})

    @rule(at=st.integers(0, 4))
    def save_unchanged(self, at: int) -> None:
        if self.program and not self.walk.engine.failures:
            file = self._file(at)
            self._save_texts({file: self.walk.disk.get(file)})

    def teardown(self) -> None:
        self.walk.end()


@pytest.mark.timeout(0 if FUZZ else 900)
@pytest.mark.parametrize(("patches", "share"), [(True, 1.0), (False, 0.15)], ids=["as it is", "by reload"])
def test_random_programs_are_after_each_save_as_in_a_fresh_process(
    tmp_path: Path, fresh: Fresh, patches: bool, share: float
) -> None:
    findings = Findings(tmp_path, fresh, patches=patches)
    options = settings(
        max_examples=max(1, int((FUZZ or 200) * share)),
        stateful_step_count=20 if FUZZ else 8,
        derandomize=not FUZZ,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    gc.collect()
    gc.freeze()  # a heap pass of the engine looks at what the walks make, not at all of pytest and Hypothesis
    try:
        run_state_machine_as_test(lambda: Machine(findings), settings=options)
    finally:
        gc.unfreeze()
    told = findings.told
    print(dict(told))  # noqa: T201 - pytest -s shows what was compared
    if findings.stories:
        pytest.fail(str(findings), pytrace=False)
    assert told["compared"] + told["skipped"] == told["settled"]
    assert told["skipped"] <= 0.05 * told["settled"]
    assert told["held back"] <= 0.5 * told["settled"]


@pytest.mark.parametrize(
    "tamper",
    [
        "m.K0 = 2",
        "m.ghost = 1",
        "del m.K0",
        "m.f0.__defaults__ = (3,)",
        "m.f0.__doc__ = 'old'",
        "m.f0.__code__ = m.f0.__code__.replace(co_firstlineno=9)",
        "m.f0.__code__ = (lambda x=1: (x, 0)).__code__",
        "m.f0 = type(m.f0)(m.f0.__code__, {**vars(m)}, 'f0', m.f0.__defaults__)",
        "m.TABLE0['f'] = type(m.f0)(m.f0.__code__, vars(m), 'f0', m.f0.__defaults__)",
        "m.C0.m0 = lambda self: 2",
        "m.C0.ghost = 1",
        "m.C0 = type('C0', (), {**vars(m.C0)})",
        "m.g0.__closure__[0].cell_contents = 8",
        "m.obj0.x = 3",
        "m.E0.A._value_ = 9",
        "n.f0 = lambda: 1",
    ],
)
def test_the_comparison_notices_what_is_not_as_in_a_fresh_process(tmp_path: Path, fresh: Fresh, tamper: str) -> None:
    text = """\
    import enum
    K0 = 1
    def f0(x=1): return (x, K0)
    class C0:
        def m0(self): return K0
    def make0(k):
        def inner(x=1): return (k, x)
        return inner
    class E0(enum.Enum):
        A = 1
    g0 = make0(7)
    obj0 = C0()
    TABLE0 = {'f': f0}
    """
    walk = Walk(tmp_path, fresh)
    walk.save({"a": text, "b": "from .a import *", "c": ""})
    exec(tamper, {"m": walk.files["a"], "n": walk.files["b"]})  # noqa: S102 - a line of the list above
    walk.held.clear()
    with pytest.raises(AssertionError, match="not as in a fresh process"):
        walk.save({"c": "K0 = 1"})
    walk.end()


def test_a_story_is_shortened_to_what_matters(tmp_path: Path) -> None:
    long = "import enum\nK0 = 1\nclass C0:\n    a0 = 1\n    def m0(self):\n        return 1\nK1 = 2\n"
    story: Story = [
        {"a": long, "b": "K0 = 1\n"},
        {"b": None},
        {"a": long.replace("return 1", "return 2")},
        {"b": "K1 = 1\n"},
    ]

    def failure_of(story: Story) -> BaseException | None:
        is_there = any("def m0(self):\n        return 2" in (texts.get("a") or "") for texts in story)
        return AssertionError("it returns 2") if is_there and "C0" in str(story[0]) else None

    assert shortened(story, failure_of) == [{"a": "class C0:\n    def m0(self):\n        return 2\n"}]
