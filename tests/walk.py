"""A walk through saves: after each of them the live modules are compared with a fresh process, and what was held is tried.

    replay(tmp_path, fresh, [{"a": "K0 = 1", "b": "from .a import K0"}, {"a": "K0 = 2"}, {"b": None}])

is what a failure prints, to be pasted into a test.
"""

import collections
import dataclasses
import difflib
import enum
import itertools
import re
import shutil
import sys
import textwrap
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conftest import Files
from fresh import Fresh, Portrait, is_dunder
from shorten import Story, Texts
from surroundings import put_back

from ipyhot.core.model import Report, Way


@dataclasses.dataclass(slots=True)
class Held:
    """An object somebody kept: what it was called, what it was, and whether its name was there all the time since."""

    module: str
    name: str
    value: Any
    kind: str
    is_unbroken: bool = True
    extra: Any = None

    @property
    def place(self) -> str:
        return f"{self.kind} {self.module}.{self.name}"


class Walk:
    """One program on its way. ``told`` counts what was compared, over all walks that share it."""

    def __init__(
        self, top: Path, fresh: Fresh, told: "collections.Counter[str] | None" = None, *, patches: bool = True
    ) -> None:
        self.files = Files(top)
        self.engine = self.files.engine
        self.package = self.files.package
        self.fresh = fresh
        self.told = collections.Counter() if told is None else told
        self.engine.patches = patches
        self.story: Story = []
        self.disk: dict[str, str] = {}
        self.held: dict[int, Held] = {}
        self.report: Report | None = None
        self._live: dict[str, str] = {}
        self._portrait = Portrait(self.package, {})

    # -- saving

    def save(self, texts: Texts) -> None:
        """Save some files (None deletes one); the first time, watch the folder."""
        act = self.files.save if self.story else self.files.start
        self.story.append(texts)
        before, is_new = self._live, any(self.disk.get(name) != text for name, text in texts.items()) or self.engine.failures
        self.disk = {name: text for name, text in {**self.disk, **texts}.items() if text is not None}
        self.fresh.ask(self.package, self._bytes(self.disk))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # as in a process of its own; here pytest makes errors of them
                self.report = act(**texts)
                assert is_new or self.report is None, f"nothing changed, and yet there is a report: {self.report}"
                self._settled(before)
        except BaseException as error:
            error.add_note(self.as_test())
            raise

    def _bytes(self, texts: dict[str, str]) -> dict[str, bytes]:
        return {name: textwrap.dedent(text).replace("PKG", self.package).encode() for name, text in texts.items()}

    def end(self) -> None:
        """Leave no trace of the package in this process."""
        for folder in self.engine.folders:
            self.engine.remove_folder(folder)
        for name in [name for name in sys.modules if name.partition(".")[0] == self.package]:
            del sys.modules[name]
        shutil.rmtree(self.files.folder)

    # -- comparing

    def live(self) -> dict[str, str]:
        """Return the sources that the engine says are live."""
        own = f"{self.package}."
        return {
            name.removeprefix(own): version.source.data.decode()
            for name, version in sorted(self.engine.live.items())
            if name.startswith(own)
        }

    def _settled(self, before: dict[str, str]) -> None:
        self.told["settled"] += 1
        if changed := put_back():
            raise AssertionError(f"changed, though they are not watched: {changed}")
        self._live = live = self.live()
        disk = {name: data.decode() for name, data in self._bytes(self.disk).items()}
        self._check_what_is_live(live, disk)
        self._portrait = self._look()
        drawn = self._portrait.draw()
        errors, expected = self.fresh.answer()
        if live != disk:
            self.told["held back"] += 1
            self._check_that_something_is_wrong(errors, disk)
            if before or drawn != expected:  # else a broken file left at the start what it leaves in a fresh process, too
                self.fresh.ask(self.package, {name: text.encode() for name, text in live.items()})
                errors, expected = self.fresh.answer()
            else:
                errors = {}
        self._compare(drawn, errors, expected, live)
        self._check_state(before, live)
        self._check_held()
        self._hold()

    def _check_what_is_live(self, live: dict[str, str], disk: dict[str, str]) -> None:
        for name in {*live, *disk}:
            is_same = live.get(name) == disk.get(name)
            is_told = name in self.files.failures
            assert is_same or is_told, f"{name} is neither live as it is on disk nor among the failures"

    def _check_that_something_is_wrong(self, errors: dict[str, str], disk: dict[str, str]) -> None:
        """A file is held back only if a fresh process cannot load all files either (in a cycle: however it is entered)."""
        if not errors and not _is_cyclic(disk):
            failures = "\n".join(map(str, self.engine.failures.values()))
            raise AssertionError(f"a fresh process imports all files, and yet something is held back:\n{failures}")

    def _look(self) -> Portrait:
        modules = {name: sys.modules.get(f"{self.package}.{name}") for name in self._live}
        missing = sorted(name for name, module in modules.items() if module is None)
        assert not missing, f"live, but not in sys.modules: {missing}"
        return Portrait(self.package, modules)

    def _compare(self, drawn: Any, errors: dict[str, str], expected: Any, live: dict[str, str]) -> None:
        if not errors and drawn == expected:
            self.told["compared"] += 1
            return
        for order in self._orders(live):
            self.fresh.ask(self.package, {name: text.encode() for name, text in live.items()}, order)
            others, other = self.fresh.answer()
            if not others and drawn == other:
                self.told["compared"] += 1
                return
            if errors and not others:
                errors, expected = others, other
        if errors:
            assert self.engine.failures, f"nothing is held back, and yet a fresh process cannot import it: {errors}"
            self.told["skipped"] += 1
            return
        shown = "\n".join(itertools.islice(differences(drawn, expected), 12))
        raise AssertionError(f"not as in a fresh process:\n{shown}")

    def _orders(self, live: dict[str, str]) -> Iterator[list[str]]:
        """Yield the orders in which a fresh process might import files whose order matters: those of a cycle."""
        if _is_cyclic(live):
            yield from (list(order) for order in itertools.islice(itertools.permutations(sorted(live)), 1, 120))

    def _check_state(self, before: dict[str, str], live: dict[str, str]) -> None:
        """A statement that depends on nothing and did not change is not run again, unless the file was reloaded."""
        for held in self.held.values():
            name = f"{self.package}.{held.module}"
            way = self.report.ways.get(name, Way.PATCH) if self.report is not None else Way.PATCH
            if held.kind != "state" or not held.is_unbroken:
                continue
            held.is_unbroken = self._now(held) is held.value
            if way is Way.PATCH and self._binds_once(held, before) and self._binds_once(held, live):
                line = _line_of(held.name, live[held.module])
                if line == _line_of(held.name, before[held.module]):
                    assert held.is_unbroken, f"{held.module}: {line} was run again, though the file was patched"
                    self.told["held state"] += 1

    def _now(self, held: Held) -> Any:
        """Return what the name of something held stands for now."""
        return vars(self.files[held.module]).get(held.name) if held.module in self._live else None

    def _binds_once(self, held: Held, texts: dict[str, str]) -> bool:
        text = texts.get(held.module, "")
        return len(re.findall(rf"(?m)\b{held.name}\b", text)) == 1 and _line_of(held.name, text) is not None

    # -- what is held

    def _hold(self) -> None:
        """Keep what is there now and was not yet kept."""
        for module in self._live:
            for name, value in list(vars(self.files[module]).items()):
                if not is_dunder(name) and id(value) not in self.held and (kind := self._kind_of(module, name, value)):
                    self._keep(Held(module, name, value, kind))
        while len(self.held) > 150:
            del self.held[next(iter(self.held))]

    def _kind_of(self, module: str, name: str, value: Any) -> str:
        if name.startswith("STATE") and type(value) in {object, dict, list}:
            return "state"
        if getattr(value, "__module__", None) != f"{self.package}.{module}" or getattr(value, "__qualname__", None) != name:
            return ""
        if isinstance(value, enum.EnumMeta):
            return "enum"
        return "class" if isinstance(value, type) else "function" if isinstance(value, types.FunctionType) else ""

    def _keep(self, held: Held) -> None:
        self.held[id(held.value)] = held
        if held.kind == "enum":
            for member in held.value:
                self.held[id(member)] = Held(held.module, held.name, member, "member", extra=member.name)
        elif held.kind == "class":
            self._keep_instance(held)
        elif held.kind == "function" and held.name.startswith("make"):
            closure = _called(held.value, 3)
            if isinstance(closure, types.FunctionType):
                self.held[id(closure)] = Held(held.module, held.name, closure, "closure", extra=self._cells(closure))

    def _keep_instance(self, held: Held) -> None:
        instance = _called(held.value)
        if instance is None:
            return
        self.held[id(instance)] = Held(held.module, held.name, instance, "instance")
        for key in ("m0", "m1", "m3"):
            if key in vars(held.value) and isinstance(method := getattr(instance, key), types.MethodType):
                self.held[id(method)] = Held(held.module, held.name, method, "method", extra=key)

    def _check_held(self) -> None:
        for key, held in list(self.held.items()):
            if held.kind == "state":
                continue
            if held.module not in self._live:
                held.is_unbroken = False
                continue
            is_followed = self._check(held, self._now(held))
            held.is_unbroken &= is_followed
            self.told[f"held {held.kind}"] += is_followed
            if not is_followed and held.kind in {"instance", "method", "member"}:
                del self.held[key]

    def _check(self, held: Held, now: Any) -> bool:
        """Return whether something held still has its name in its module; raise if it does not follow what has it."""
        match held.kind:
            case "function":
                return self._check_function(held, now)
            case "class" | "enum":
                return self._check_class(held, now)
            case "member":
                return self._check_member(held, now)
            case "instance":
                return self._check_instance(held, now)
            case "method":
                return self._check_method(held, now)
        return self._check_closure(held, now)

    def _is_home(self, held: Held, now: Any) -> bool:
        return getattr(now, "__qualname__", None) == held.name and now.__module__ == f"{self.package}.{held.module}"

    def _check_function(self, held: Held, now: Any) -> bool:
        if not isinstance(now, types.FunctionType):
            return False
        if now is held.value:
            return True
        is_plain = held.value.__closure__ is None and now.__closure__ is None and self._is_home(held, now)
        assert not (is_plain and held.is_unbroken), f"{held.place}: what is held is not what the module holds"
        old, new = self._behaviour(held.value, now), self._behaviour(now, now)
        if not self._is_home(held, now):  # it forwards to another function, whose annotations are not its own
            old["annotations"] = new["annotations"]
        self._same(held, old, new)
        return is_plain

    def _check_class(self, held: Held, now: Any) -> bool:
        if not isinstance(now, type) or not self._is_home(held, now) or type(now) is not type(held.value):
            return False
        if now is held.value:
            return True
        can_follow = _layout(held.value) == _layout(now) and _takes_bases(held.value, now.__bases__)
        assert not (can_follow and held.is_unbroken), f"{held.place}: what is held is not what the module holds"
        return False

    def _check_member(self, held: Held, now: Any) -> bool:
        if not isinstance(now, enum.EnumMeta) or not self._is_home(held, now) or held.extra not in now.__members__:
            return False
        member = now[held.extra]
        if member is held.value:
            return True
        is_mixed = {now._member_type_, type(held.value)._member_type_} != {object}  # its value cannot be changed in place
        is_mixed |= not held.is_unbroken or member.name != held.extra
        assert is_mixed, f"{held.place}.{held.extra}: what is held is not what the class holds"
        return False

    def _check_instance(self, held: Held, now: Any) -> bool:
        if not isinstance(now, type) or not self._is_home(held, now) or isinstance(now, enum.EnumMeta):
            return False
        if type(held.value) is not now:
            return self._is_named(held)
        new = self._twin(held.value, now)
        if new is None:
            return False
        self._same(held, self._reads(held.value), self._reads(new))
        if dataclasses.is_dataclass(now):
            lacking = [one.name for one in dataclasses.fields(now) if not hasattr(held.value, one.name)]
            assert not lacking, f"{held.place}: it has no {lacking}, though new instances get a default"
        return True

    def _is_named(self, held: Held) -> bool:
        """An instance that keeps its class is allowed if a report says so, or if its class was gone for a while."""
        notes = [note for report in [*self.engine.history] for note in report.notes]
        is_told = any(re.search(rf"\b{held.name}\b", note) for note in notes)
        assert is_told or not held.is_unbroken, f"{held.place}: it is no instance of the class any more"
        return False

    def _check_method(self, held: Held, now: Any) -> bool:
        if not isinstance(now, type) or type(held.value.__self__) is not now:
            return False
        new = self._twin(held.value.__self__, now)
        own = vars(now).get(held.extra)
        if new is None or not isinstance(own, types.FunctionType) or own.__qualname__ != held.value.__qualname__:
            return False
        bound = getattr(new, held.extra)
        self._same(held, self._behaviour(held.value, bound), self._behaviour(bound, bound))
        return True

    def _check_closure(self, held: Held, now: Any) -> bool:
        if not isinstance(now, types.FunctionType) or not self._is_home(held, now):
            return False
        if len(re.findall(rf"(?m)^def {held.name}\b", self._live[held.module])) > 1 or not held.is_unbroken:
            return False  # which of two definitions it follows, or after its file was gone, is not promised: docs/limits.md
        new = _called(now, 3)
        if not isinstance(new, types.FunctionType) or held.extra != self._cells(new):
            return False
        self._same(held, self._behaviour(held.value, new), self._behaviour(new, new))
        return True

    def _twin(self, held: Any, now: type) -> Any:
        """Return a new instance with the attributes of a held one; None for those that hold more than attributes."""
        if isinstance(held, tuple | int | str | dict | list):
            return None
        new = object.__new__(now)
        vars(new).update(vars(held))
        return new

    def _cells(self, closure: types.FunctionType) -> Any:
        cells = [cell.cell_contents for cell in closure.__closure__ or ()]
        # What a closure was given when it was made is its own: a default is no part of its code.
        return [closure.__code__.co_freevars, repr(cells), repr(closure.__defaults__), repr(closure.__kwdefaults__)]

    def _behaviour(self, fn: Any, like: Any) -> Any:
        return self._portrait.anew().behaviour(fn, "held", like)

    def _reads(self, instance: Any) -> Any:
        return self._portrait.anew().reads(instance, "held")

    def _same(self, held: Held, old: Any, new: Any) -> None:
        if old != new:
            shown = "\n".join(itertools.islice(differences(old, new, ("held", "new")), 12))
            raise AssertionError(f"{held.place}: what is held does not do what the new one does:\n{shown}")

    # -- telling

    def as_test(self) -> str:
        """Return the walk as a test to paste, with what was on disk, what was live and what was said in the end."""
        engine = self.engine
        lines = ["def test_(tmp_path, fresh):", "    story = ["]
        for texts in self.story:
            lines += [
                "        {",
                *(f"            {name!r}: {_quoted(text)}," for name, text in texts.items()),
                "        },",
            ]
        lines += [
            "    ]",
            f"    replay(tmp_path, fresh, story, patches={engine.patches})",
            "# the last save:",
            *map("#   {}".format, self._last_save()),
        ]
        lines += [f"# live: {sorted(engine.live)}, report: {self.report}"]
        if self.report is not None:
            lines += [f"# {name}: {way.value}: {self.report.reasons.get(name)}" for name, way in self.report.ways.items()]
            lines += [f"# note: {note}" for note in self.report.notes]
        lines += [f"# {failure}" for failure in engine.failures.values()]
        return "\n".join(["", *lines])

    def _last_save(self) -> Iterator[str]:
        """Yield what the last save changed, as a diff; the first one changed everything."""
        before: Texts = {}
        for texts in self.story[:-1]:
            before |= texts
        for name, text in self.story[-1].items() if before else ():
            old = before.get(name) or ""
            yield from difflib.unified_diff(
                old.splitlines(), (text or "").splitlines(), f"{name}.py", f"{name}.py", "", "", 1, ""
            )


def replay(top: Path, fresh: Fresh, story: Story, *, patches: bool = True) -> None:
    """Walk through a story; raise if what is live is not as in a fresh process after one of its saves."""
    walk = Walk(top, fresh, patches=patches)
    try:
        for texts in story:
            walk.save(texts)
    finally:
        walk.end()


def differences(left: Any, right: Any, names: tuple[str, str] = ("live", "fresh"), place: str = "") -> Iterator[str]:
    """Yield where two portraits differ, one line each."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in [*left, *(key for key in right if key not in left)]:
            inner = f"{place}.{key}".lstrip(".")
            if key not in left or key not in right:
                yield f"  {inner}: only {names[key in right]}"
            else:
                yield from differences(left[key], right[key], names, inner)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for at, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from differences(one, other, names, f"{place}[{at}]")
    elif left != right:
        yield f"  {place}: {names[0]} {_short(left, right)}, {names[1]} {_short(right, left)}"


def _short(value: object, other: object) -> str:
    if isinstance(value, dict) and isinstance(other, str) and other.startswith(("->", "=")):
        return "an object of its own"
    text = repr(value)
    return text if len(text) < 300 else f"{text[:300]}..."


def _quoted(text: str | None) -> str:
    if text is None:
        return "None"
    lines = text.splitlines(keepends=True) or [""]
    return (
        repr(text)
        if len(lines) < 2
        else "(\n" + "\n".join(f"                {line!r}" for line in lines) + "\n            )"
    )


def _line_of(name: str, text: str) -> str | None:
    found = re.search(rf"(?m)^{name} = .*$", text)
    return found[0] if found else None


def _called(fn: Any, *args: object) -> Any:
    try:
        return fn(*args)
    except Exception:
        return None


def _layout(cls: type) -> object:
    """Return what decides whether Python lets a class take over another one's bases."""
    foreign = [base for base in cls.__mro__ if base.__module__ in {"builtins", "typing"}]
    return foreign, cls.__bases__ == (object,), getattr(cls, "__slots__", None)


def _takes_bases(cls: type, bases: tuple[type, ...]) -> bool:
    """Tell whether Python lets a class that nobody needs any more have other bases."""
    try:
        type.__setattr__(cls, "__bases__", bases)
    except TypeError:
        return False
    return True


def _is_cyclic(texts: dict[str, str]) -> bool:
    """Tell whether files import one another in a circle."""
    left = {name: {other for other in texts if other != name and _imports(text, other)} for name, text in texts.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return bool(left)


def _imports(text: str, other: str) -> bool:
    return re.search(rf"(?m)from \.{other} import|from \. import {other}\b|import \w+\.{other}\b", text) is not None
