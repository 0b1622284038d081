"""State kept on purpose: values computed once, and what one version of a module hands to the next."""

import builtins
from textwrap import dedent

import pytest
from conftest import Files

from ipyhot import once


@pytest.fixture(autouse=True)
def ran(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the files tell that they did: each of them may append to ``ran``."""
    ran: list[object] = []
    monkeypatch.setattr(builtins, "ran", ran, raising=False)
    return ran


# -- once

LOAD = """\
from ipyhot import once
class Model:
    pass
def load(*args, **options):
    model = Model()
    model.args = args
    model.options = options
    ran.append("load")
    return model
"""
ONCE = LOAD + "model = once(load)\nN = 1\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("N = 1", "N = 2"),
        ("N = 1", ""),
        ("N = 1", "N = 1\ndef f(): return 1"),
        ("model = once(load)\nN = 1", "N = 1\nmodel = once(load)"),
        ("from", "# above\n\n\nfrom"),
        ("    model = Model()", "    # a comment in the function\n\n    model = Model()"),
        ("model = once(load)", "model   =  once( load )  # a comment"),
        ("N = 1", "N = 1\nprint(end='')"),
        ("N = 1", "globals()['M'] = 1"),
        ("    pass", "    def m(self): return 1"),
    ],
    ids=[
        "a constant", "a name removed", "a function added", "statements in another order", "moved lines", "a comment in the function",
        "another layout", "an unknown effect", "names written by globals()", "a class that the function uses",
    ],
)  # fmt: skip
def test_what_was_computed_once_is_kept_over(story: Files, ran: list, old: str, new: str) -> None:
    story.start(a=ONCE)
    held = story["a"].model
    story.save(a=ONCE.replace(old, new))
    story.save(a=ONCE)
    assert (story["a"].model is held, ran) == (True, ["load"])


def test_what_was_computed_once_is_kept_when_the_file_is_run_again_as_it_is(story: Files, ran: list) -> None:
    story.start(a=ONCE + "ran.append('top')")
    held = story["a"].model
    story.engine.update([f"{story.package}.a"], force=True)
    assert (story["a"].model is held, ran.count("load"), ran.count("top")) == (True, 1, 2)


def test_what_was_computed_once_is_kept_over_edits_that_fail(story: Files, ran: list) -> None:
    story.start(a=ONCE)
    held = story["a"].model
    for broken in ("def (", "N = 1 / 0", "raise SystemExit"):
        story.save(a=f"{ONCE}{broken}\n")
        assert (story.failures, story["a"].model is held) == ({"a"}, True)
    story.save(a=ONCE + "M = 1")
    assert (story["a"].model is held, story["a"].M, ran) == (True, 1, ["load"])


def test_what_was_computed_once_is_kept_when_a_dependency_of_the_file_changes(story: Files, ran: list) -> None:
    story.start(lib="K = 1", a="from .lib import K\n" + ONCE + "M = K")
    held = story["a"].model
    story.save(lib="K = 2")
    story.save(lib="K = 3")
    assert (story["a"].model is held, story["a"].M, ran) == (True, 3, ["load"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("once(load)", "once(load, 1)"),
        ("once(load)", "once(load, path='x')"),
        ("def load(*args, **options):", "def load(*args, size=2, **options):"),
        ("    ran.append", "    model.extra = 1\n    ran.append"),
        ("once(load)", "once(lambda: load())"),
    ],
    ids=["an argument", "a keyword argument", "a default", "the source of the function", "the function"],
)
def test_it_is_computed_again_when_this_changed(story: Files, ran: list, old: str, new: str) -> None:
    story.start(a=ONCE)
    held = story["a"].model
    story.save(a=ONCE.replace(old, new))
    renewed = story["a"].model
    assert (renewed is not held, ran.count("load")) == (True, 2)
    story.save(a=ONCE.replace(old, new) + "M = 1")
    assert story["a"].model is renewed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("load, 1", "load, 2"),
        ("load, path='a'", "load, path='b'"),
        ("load, [1], {'k': [2]}", "load, [1], {'k': [3]}"),
        ("load, path=['a']", "load, path=['b']"),
    ],
    ids=["positional", "keyword", "unhashable", "unhashable keyword"],
)
def test_arguments_are_compared_by_value(story: Files, ran: list, old: str, new: str) -> None:
    text = LOAD + f"N = 1\nmodel = once({old})\n"
    story.start(a=text)
    held = story["a"].model
    story.save(a=text.replace("N = 1", "N = 2"))
    story.engine.update([f"{story.package}.a"], force=True)
    assert (story["a"].model is held, ran) == (True, ["load"])
    story.save(a=text.replace(old, new))
    assert (story["a"].model is not held, ran.count("load")) == (True, 2)


def test_an_argument_that_is_a_constant_is_followed(story: Files) -> None:
    text = LOAD + "SIZE = 1\nmodel = once(load, SIZE)\n"
    story.start(a=text)
    held = story["a"].model
    story.save(a=text.replace("SIZE = 1", "SIZE = 2"))
    assert (story["a"].model.args, story["a"].model is held) == ((2,), False)
    kept = story["a"].model
    story.save(a=text.replace("SIZE = 1", "SIZE = 1 + 1"))
    assert story["a"].model is kept


def test_a_default_that_is_a_constant_is_followed(story: Files) -> None:
    text = "from ipyhot import once\nSIZE = 1\ndef load(size=SIZE, *, k=SIZE): return [size, k]\nmodel = once(load)\n"
    story.start(a=text)
    story.save(a=text.replace("SIZE = 1", "SIZE = 2"))
    assert story["a"].model == [2, 2]


def test_what_the_function_calls_does_not_count(story: Files, ran: list) -> None:
    text = "from ipyhot import once\nfrom .lib import far\nK = 1\ndef near(): return K\ndef load():\n    ran.append('load')\n    return [near(), far()]\nmodel = once(load)\n"
    story.start(lib="def far(): return 1", a=text)
    held = story["a"].model
    story.save(lib="def far(): return 2")
    story.save(a=text.replace("return K", "return K + 1"))
    story.save(a=text.replace("K = 1", "K = 5"))
    assert (story["a"].model is held, held, ran) == (True, [1, 1], ["load"])


def test_a_statement_that_computes_with_it_is_kept_as_well(patching: Files, ran: list) -> None:
    text = ONCE + "def size(m):\n    ran.append('size')\n    return 1\nS = size(model)\n"
    patching.start(a=text)
    patching.save(a=text.replace("N = 1", "N = 2"))
    assert ran == ["load", "size"]


def test_a_statement_that_computes_with_it_follows_when_it_is_computed_again(story: Files) -> None:
    text = LOAD + "model = once(load, 1)\nA = model.args\n"
    story.start(a=text, b="from .a import model\nA = model.args")
    story.save(a=text.replace("load, 1", "load, 2"))
    assert (story["a"].A, story["b"].A, story["b"].model is story["a"].model) == ((2,), (2,), True)


def test_it_is_fresh_after_its_statement_was_removed(story: Files) -> None:
    story.start(a=ONCE)
    held = story["a"].model
    story.save(a=LOAD)
    assert not hasattr(story["a"], "model")
    story.save(a=ONCE)
    assert story["a"].model is not held


def test_it_is_fresh_after_its_file_was_deleted(story: Files) -> None:
    story.start(a=ONCE)
    held = story["a"].model
    story.save(a=None)
    story.save(a=ONCE)
    assert story["a"].model is not held


def test_two_of_one_function_are_two_by_their_arguments(story: Files, ran: list) -> None:
    text = LOAD + "one = once(load, 1)\ntwo = once(load, 2)\n"
    story.start(a=text)
    one, two = story["a"].one, story["a"].two
    assert (one.args, two.args) == ((1,), (2,))
    story.save(a=LOAD + "N = 1\ntwo = once(load, 2)\none = once(load, 1)\n")
    assert (story["a"].one is one, story["a"].two is two, ran) == (True, True, ["load"] * 2)
    story.save(a=text.replace("load, 2", "load, 3"))
    assert (story["a"].one is one, story["a"].two.args) == (True, (3,))


def test_two_modules_with_the_same_text_have_their_own(story: Files) -> None:
    story.start(a=ONCE, b=ONCE)
    one, two = story["a"].model, story["b"].model
    assert one is not two
    story.save(a=ONCE + "M = 1", b=ONCE + "M = 1")
    assert (story["a"].model is one, story["b"].model is two) == (True, True)


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("TABLE = {'a': once(load, 1), 'b': [once(load, 2)], 'n': 1}", lambda a: [a.TABLE["a"], a.TABLE["b"][0]]),
        ("TABLE = [once(load, n) for n in (1, 2)] + [1]", lambda a: a.TABLE[:2]),
        ("if True:\n    m = once(load, 1)\n    n = 1", lambda a: [a.m]),
        ("class C:\n    m = once(load, 1)\n    n = 1", lambda a: [a.C.m]),
        ("m, n = once(load, 1), 1", lambda a: [a.m]),
        ("def f(x=once(load, 1), n=1): return x", lambda a: [a.f()]),
        ("m: object = once(load, 1); n = 1", lambda a: [a.m]),
        ("with open(__file__):\n    m = once(load, 1)\n    n = 1", lambda a: [a.m]),
    ],
    ids=["dict", "comprehension", "if", "class", "tuple", "default", "annotated", "with"],
)
def test_it_is_kept_when_the_statement_around_it_is_run_again(story: Files, ran: list, text: str, look) -> None:
    story.start(a=LOAD + text)
    held, count = look(story["a"]), len(ran)
    head, _, tail = text.rpartition("1")
    story.save(a=f"{LOAD}{head}10{tail}")
    assert [new is old for new, old in zip(look(story["a"]), held, strict=True)] == [True] * len(held)
    story.engine.update([f"{story.package}.a"], force=True)
    assert [new is old for new, old in zip(look(story["a"]), held, strict=True)] == [True] * len(held)
    assert len(ran) == count


def test_outside_of_watched_files_it_just_computes(ran: list) -> None:
    def load(*args: object, **options: object) -> tuple:
        ran.append("load")
        return args, options

    assert [once(load, 1, k=2), once(load, 1, k=2)] == [((1,), {"k": 2})] * 2
    assert ran == ["load"] * 2
    with pytest.raises(ZeroDivisionError):
        once(lambda: 1 / 0)


def test_a_function_that_raises_rejects_the_edit_and_its_value_stays(story: Files) -> None:
    text = "from ipyhot import once\ndef load(x): return [1 / x]\nmodel = once(load, 1)\n"
    story.start(a=text)
    held = story["a"].model
    story.save(a=text.replace("load, 1", "load, 0"))
    assert (story.failures, story["a"].model is held) == ({"a"}, True)
    story.save(a=text.replace("load, 1", "load, 2"))
    assert (story.failures, story["a"].model) == (set(), [0.5])


def test_a_function_that_raises_at_first_is_asked_again(story: Files) -> None:
    text = "from ipyhot import once\ndef load(x): return [1 / x]\nmodel = once(load, 0)\n"
    story.start(a=text)
    assert story.failures == {"a"}
    story.save(a=text.replace("load, 0", "load, 2"))
    assert (story.failures, story["a"].model) == (set(), [0.5])


def test_what_a_rejected_edit_computed_does_not_replace_the_kept_value(story: Files, ran: list) -> None:
    text = LOAD + "model = once(load, 1)\n"
    story.start(a=text)
    held = story["a"].model
    story.save(a=text.replace("load, 1", "load, 2") + "1 / 0\n")
    assert (story.failures, story["a"].model is held, held.args) == ({"a"}, True, (1,))
    count = len(ran)
    story.save(a=text + "M = 1")
    assert (story.failures, story["a"].model is held, len(ran)) == (set(), True, count)


def test_a_rejected_edit_without_it_does_not_forget_it(story: Files, ran: list) -> None:
    story.start(a=ONCE)
    held = story["a"].model
    story.save(a=LOAD + "1 / 0\n")
    story.save(a=ONCE)
    assert (story["a"].model is held, ran) == (True, ["load"])


def test_none_is_a_value_like_others(story: Files, ran: list) -> None:
    text = "from ipyhot import once\ndef load(): ran.append('load')\nmodel = once(load)\n"
    story.start(a=text)
    story.save(a=text + "N = 1")
    story.engine.update([f"{story.package}.a"], force=True)
    assert (story["a"].model, ran) == (None, ["load"])


def test_a_function_of_another_file_is_watched_by_its_own_source_alone(story: Files, ran: list) -> None:
    lib = "N = 1\ndef load():\n    ran.append('load')\n    return [1]\n"
    story.start(lib=lib, a="from ipyhot import once\nfrom .lib import load\nmodel = once(load)\n")
    held = story["a"].model
    story.save(lib=lib.replace("N = 1", "N = 2\n# moved"))
    assert (story["a"].model is held, ran) == (True, ["load"])
    story.save(lib=lib.replace("[1]", "[2]"))
    assert story["a"].model == [2]


def test_a_function_of_an_installed_package_is_called_once(story: Files) -> None:
    text = "import ipyhot\nfrom collections import deque\nqueue = ipyhot.once(deque, maxlen=3)\nN = 1\n"
    story.start(a=text)
    held = story["a"].queue
    held.append(1)
    story.save(a=text.replace("N = 1", "N = 2"))
    story.engine.update([f"{story.package}.a"], force=True)
    assert (story["a"].queue is held, [*held]) == (True, [1])


def test_a_lambda_is_watched_by_its_text_and_not_by_its_line(story: Files) -> None:
    text = "from ipyhot import once\nbox = once(lambda: [1])\n"
    story.start(a=text)
    held = story["a"].box
    story.save(a=text.replace("\nbox", "\n\n# moved\nN = 1\nbox"))
    assert story["a"].box is held
    story.save(a=text.replace("[1]", "[2]"))
    assert story["a"].box == [2]


def test_a_function_inside_the_function_belongs_to_its_source(story: Files) -> None:
    text = "from ipyhot import once\ndef load():\n    def inner(): return [1]\n    return inner()\nmodel = once(load)\n"
    story.start(a=text)
    held = story["a"].model
    story.save(a=text.replace("    def inner", "\n    # moved\n    def inner"))
    assert story["a"].model is held
    story.save(a=text.replace("[1]", "[2]"))
    assert story["a"].model == [2]


def test_an_instance_that_was_made_once_follows_its_class(story: Files) -> None:
    text = LOAD.replace("    pass", "    def m(self): return 1") + "model = once(load)\n"
    story.start(a=text)
    held = story["a"].model
    story.save(a=text.replace("return 1", "return 2"))
    assert (story["a"].model is held, held.m(), type(held) is story["a"].Model) == (True, 2, True)


# -- __hot_getstate__, __hot_setstate__, __hot_close__

GET = "def __hot_getstate__():\n    ran.append(f'get {N}')\n    return {'from': N}\n"
SET = "def __hot_setstate__(state):\n    ran.append(f'set {N} {state}')\n"
CLOSE = "def __hot_close__():\n    ran.append(f'close {N}')\n"
HOOKS = "N = 1\n" + GET + SET + CLOSE


def told(ran: list, start: str) -> list[str]:
    """Return what hooks of one kind told, in order."""
    return [each for each in ran if each.startswith(start)]


def test_hooks_are_called_in_order_and_each_sees_its_own_version(story: Files, ran: list) -> None:
    story.start(a=HOOKS)
    assert ran == []
    story.save(a=HOOKS.replace("N = 1", "N = 2"))
    assert ran == ["get 1", "set 2 {'from': 1}", "close 1"]
    ran.clear()
    story.save(a=HOOKS.replace("N = 1", "N = 3"))
    assert ran == ["get 2", "set 3 {'from': 2}", "close 2"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return N", "return N + 1"),
        ("def f", "# above\n\ndef f"),
        ("return {'from': N}", "return {'from': N, 'more': 1}"),
        ("def f(): ", "def f():\n    # why\n    "),
    ],
    ids=["a body", "moved lines", "the body of a hook", "a comment"],
)
def test_an_edit_of_function_bodies_calls_no_hook(patching: Files, ran: list, old: str, new: str) -> None:
    text = HOOKS + "def f(): return N\n"
    patching.start(a=text)
    patching.save(a=text.replace(old, new))
    assert (ran, patching.failures) == ([], set())


def test_other_files_do_not_concern_the_hooks(patching: Files, ran: list) -> None:
    patching.start(a=HOOKS, lib="def g(): return 1", b="from .a import N\nM = N", c="from . import a, lib")
    patching.save(b="from .a import N\nM = N + 1", lib="def g(): return 2")
    assert ran == []


def test_a_file_with_hooks_that_follows_its_dependency_calls_them(story: Files, ran: list) -> None:
    story.start(lib="K = 1", a="from .lib import K\n" + HOOKS.replace("N = 1", "N = K"))
    story.save(lib="K = 2")
    assert ran == ["get 1", "set 2 {'from': 1}", "close 1"]


def test_what_is_handed_over_is_the_very_object(story: Files) -> None:
    text = """\
    VERSION = 1
    class Connection: pass
    conn = None
    def connect():
        global conn
        conn = Connection()
    def __hot_getstate__(): return conn
    def __hot_setstate__(state):
        global conn
        conn = state
    def use(): return conn
    """
    story.start(a=text, b="from . import a\ndef use(): return a.conn")
    story["a"].connect()
    held = story["a"].conn
    story.save(a=text.replace("VERSION = 1", "VERSION = 2"))
    assert story["a"].VERSION == 2
    assert story["a"].conn is held
    assert story["a"].use() is held
    assert story["b"].use() is held
    assert type(held) is story["a"].Connection


def test_a_module_with_hooks_is_run_whole_when_more_than_bodies_changed(story: Files) -> None:
    text = CLOSE + "N = 1\ncache = {}\n"
    story.start(a=text)
    story["a"].cache["key"] = 1
    story.save(a=text.replace("N = 1", "N = 2"))
    assert story["a"].cache == {}


def test_a_server_is_opened_by_the_new_version_and_closed_by_the_old_one(story: Files, ran: list) -> None:
    text = """\
    class Server:
        is_open = True
        def close(self): self.is_open = False
    PORT = 1
    server = Server()
    ran.append(server)
    def __hot_close__(): server.close()
    """
    story.start(a=text)
    old = story["a"].server
    story.save(a=text.replace("PORT = 1", "PORT = 2"))
    assert (old.is_open, story["a"].server.is_open, story["a"].server is old) == (False, True, False)


def test_closing_sees_everything_as_it_was(story: Files, ran: list) -> None:
    text = """\
    NAME, gone = "old", 1
    def helper(): return f"helped {NAME}"
    def __hot_close__(): ran.append((NAME, gone, helper(), globals()["NAME"], "new" in globals()))
    """
    story.start(a=text)
    story.save(a='NAME = "new"\nnew = 1\ndef helper(): return f"helped {NAME}"\n')
    assert ran == [("old", 1, "helped old", "old", False)]
    assert (story["a"].NAME, story["a"].new, hasattr(story["a"], "gone")) == ("new", 1, False)


def test_a_value_that_was_rebound_at_run_time_is_what_closing_sees(story: Files, ran: list) -> None:
    text = (
        "N = 1\nserver = None\ndef serve(x):\n    global server\n    server = x\ndef __hot_close__(): ran.append(server)\n"
    )
    story.start(a=text)
    story["a"].serve("mine")
    story.save(a=text.replace("N = 1", "N = 2"))
    assert (ran, story["a"].server) == (["mine"], None)


def test_closing_that_raises_is_told_and_the_new_version_is_live(story: Files) -> None:
    text = "N = 1\ndef __hot_close__(): raise ValueError('boom')\n"
    story.start(a=text)
    report = story.save(a=text.replace("N = 1", "N = 2"))
    assert (story["a"].N, story.failures, any("boom" in note for note in report.notes)) == (2, set(), True)


def test_a_state_that_the_new_version_refuses_rejects_the_edit(story: Files, ran: list) -> None:
    story.start(a=HOOKS + "def f(): return 1\n", b="from .a import N\nM = N")
    held = story["a"].f
    story.save(
        a=HOOKS.replace("N = 1", "N = 2").replace("ran.append(f'set", "raise ValueError(f'set") + "def f(): return 2\n"
    )
    assert ("a" in story.failures, story["a"].N, story["b"].M, held(), story["a"].f is held) == (True, 1, 1, 1, True)
    assert told(ran, "close") == []
    story.save(a=HOOKS.replace("N = 1", "N = 3"))
    assert story.failures == set()
    assert story["a"].N == 3
    assert told(ran, "set") == ["set 3 {'from': 1}"]
    assert told(ran, "close") == ["close 1"]


def test_a_state_that_cannot_be_got_is_never_silent(story: Files) -> None:
    text = "N = 1\ndef __hot_getstate__(): raise ValueError('boom')\ndef __hot_setstate__(state): pass\n"
    story.start(a=text)
    report = story.save(a=text.replace("N = 1", "N = 2"))
    if story.failures:
        assert (story["a"].N, "boom" in str(report)) == (1, True)
    else:
        assert (story["a"].N, any("boom" in note for note in report.notes)) == (2, True)


@pytest.mark.parametrize("broken", ["def (", "1 / 0"], ids=["does not compile", "raises"])
def test_a_rejected_edit_closes_nothing(story: Files, ran: list, broken: str) -> None:
    story.start(a=HOOKS)
    story.save(a=HOOKS.replace("N = 1", "N = 2") + broken)
    assert (story.failures, told(ran, "close"), told(ran, "set")) == ({"a"}, [], [])
    story.save(a=HOOKS.replace("N = 1", "N = 3"))
    assert ran[-2:] == ["set 3 {'from': 1}", "close 1"]


def test_a_file_that_holds_back_the_others_closes_none_of_them(story: Files, ran: list) -> None:
    text = "from .a import N\nfrom .lib import K\n"
    story.start(a=HOOKS, lib="K = 1", b=text)
    story.save(a=HOOKS.replace("N = 1", "N = 2"), b=text + "1 / 0")
    assert (story["a"].N, told(ran, "close")) == (1, [])


def test_a_deleted_file_is_closed(story: Files, ran: list) -> None:
    story.start(a=HOOKS, b="x = 1")
    story.save(a=None)
    assert ran == ["close 1"]
    story.save(a=HOOKS)
    assert (ran, story["a"].N) == (["close 1"], 1)


def test_a_deleted_file_whose_closing_raises_is_gone_and_told(story: Files) -> None:
    story.start(a="def __hot_close__(): raise ValueError('boom')", b="x = 1")
    report = story.save(a=None)
    assert (f"{story.package}.a" in report.ways, any("boom" in note for note in report.notes)) == (True, True)
    with pytest.raises(KeyError):
        story["a"]


def test_a_deleted_file_that_is_still_needed_is_not_closed(story: Files, ran: list) -> None:
    story.start(a=HOOKS, b="from .a import N")
    story.save(a=None)
    assert (story.failures, told(ran, "close")) == ({"a", "b"}, [])
    story.save(b="N = 5")
    assert (story.failures, told(ran, "close")) == (set(), ["close 1"])


def test_a_state_that_nobody_takes_is_dropped(story: Files, ran: list) -> None:
    text = "N = 1\n" + GET
    story.start(a=text)
    story.save(a=text.replace("N = 1", "N = 2"))
    assert (story.failures, story["a"].N, told(ran, "set"), told(ran, "close")) == (set(), 2, [], [])


def test_without_a_state_nothing_is_set(story: Files, ran: list) -> None:
    text = "N = 1\n" + SET
    story.start(a=text)
    story.save(a=text.replace("N = 1", "N = 2"))
    assert (story.failures, story["a"].N, ran) == (set(), 2, [])


def test_a_state_of_none_is_a_state(story: Files, ran: list) -> None:
    text = "N = 1\ndef __hot_getstate__(): pass\n" + SET
    story.start(a=text)
    story.save(a=text.replace("N = 1", "N = 2"))
    assert ran == ["set 2 None"]


def test_hooks_that_are_new_are_for_the_next_edit(story: Files, ran: list) -> None:
    story.start(a="N = 1\n")
    story.save(a=HOOKS.replace("N = 1", "N = 2"))
    assert ran == []
    story.save(a=HOOKS.replace("N = 1", "N = 3"))
    assert ran == ["get 2", "set 3 {'from': 2}", "close 2"]


def test_hooks_that_were_removed_are_called_a_last_time(story: Files, ran: list) -> None:
    story.start(a=HOOKS)
    story.save(a="N = 2\n")
    assert (story["a"].N, told(ran, "close")) == (2, ["close 1"])
    ran.clear()
    story.save(a="N = 3\n")
    assert ran == []


def test_a_state_may_go_from_one_way_of_getting_it_to_another(story: Files, ran: list) -> None:
    story.start(a="N = 1\n" + GET)
    story.save(a="N = 2\ndef __hot_getstate__(): return 'new'\n" + SET)
    story.save(a="N = 3\n" + SET)
    assert told(ran, "set") == ["set 2 {'from': 1}", "set 3 new"]


def test_all_states_of_a_burst_are_set_before_anything_is_closed(story: Files, ran: list) -> None:
    other = HOOKS.replace("N = 1", "N = 10")
    story.start(a=HOOKS, b=other)
    story.save(a=HOOKS.replace("N = 1", "N = 2"), b=other.replace("N = 10", "N = 20"))
    assert {*ran} == {"get 1", "get 10", "set 2 {'from': 1}", "set 20 {'from': 10}", "close 1", "close 10"}
    assert {*ran[-2:]} == {"close 1", "close 10"}


def test_one_refused_state_of_a_group_leaves_all_of_it_alone(story: Files, ran: list) -> None:
    user = "from .a import N\n" + SET + CLOSE + GET + "M = 1\n"
    story.start(a=HOOKS, b=user)
    story.save(
        a=HOOKS.replace("N = 1", "N = 2"),
        b=user.replace("M = 1", "M = 2").replace("    ran.append(f'set", "    raise ValueError(f'set"),
    )
    assert (story.failures, story["a"].N, story["b"].N, story["b"].M, told(ran, "close")) == ({"a", "b"}, 1, 1, 1, [])


def test_what_a_refused_state_did_to_the_new_version_is_not_seen(story: Files) -> None:
    text = "items = [1]\nN = 1\ndef __hot_getstate__(): return items\ndef __hot_setstate__(state):\n    global items\n    items = [*state, 2]\n"
    story.start(a=text)
    held = story["a"].items
    story.save(a=text.replace("N = 1", "N = 2") + "    raise ValueError\n")
    assert (story["a"].items is held, held, story["a"].N) == (True, [1], 1)
    story.save(a=text.replace("N = 1", "N = 3"))
    assert (story["a"].items, held) == ([1, 2], [1])


def test_going_back_to_the_previous_text_hands_the_state_back(story: Files, ran: list) -> None:
    story.start(a=HOOKS)
    story.save(a=HOOKS.replace("N = 1", "N = 2"))
    ran.clear()
    story.save(a=HOOKS)
    assert ran == ["get 2", "set 1 {'from': 2}", "close 2"]


def test_a_value_computed_once_and_hooks_live_in_one_file(story: Files, ran: list) -> None:
    text = dedent("""\
        from ipyhot import once
        def load():
            ran.append("load")
            return []
        model = once(load)
        """)
    story.start(a=text + HOOKS)
    held = story["a"].model
    story.save(a=text + HOOKS.replace("N = 1", "N = 2"))
    assert (story["a"].model is held, ran) == (True, ["load", "get 1", "set 2 {'from': 1}", "close 1"])
