"""What ipyhot relies on in Python's import system; a new Python that differs must fail here first."""

import importlib
import sys
import threading
import types

import pytest

from ipyhot.core.imports import ImportSwitch, Standin, WatchedSpec, recording


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("relied_on")
    module.__spec__ = WatchedSpec("relied_on", None)
    module.value = 1
    monkeypatch.setitem(sys.modules, "relied_on", module)
    return module


@pytest.mark.parametrize(
    "statement",
    ["import relied_on", "import relied_on as x", "from relied_on import value", "importlib.import_module('relied_on')"],
)
@pytest.mark.usefixtures("module")
def test_every_import_of_a_loaded_module_asks_its_spec(statement: str) -> None:
    with recording() as found:
        exec(statement, {"importlib": importlib})  # noqa: S102 - a fixed statement
    assert found == {"relied_on"}


def test_a_stand_in_answers_from_elsewhere_for_one_thread_only(module: types.ModuleType) -> None:
    other = types.ModuleType("other")
    other.value = 2
    standin = Standin()
    standin.answer_from(module)
    standin.divert(
        lambda name: getattr(other, name), lambda name, value: setattr(other, name, value), lambda name: delattr(other, name)
    )
    standin.put_on(module)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(module.value))
    thread.start()
    thread.join()
    assert (module.value, seen) == (2, [1])
    standin.restore()
    assert module.value == 1


def test_a_stand_in_runs_no_bytecode_for_other_threads(module: types.ModuleType) -> None:
    standin = Standin()
    standin.answer_from(module)
    standin.put_on(module)
    called = []
    sys.setprofile(lambda frame, event, argument: called.append(event) if event == "call" else None)
    try:
        value = module.value
        module.value = value
    finally:
        sys.setprofile(None)
    assert called == []


def test_the_import_switch_is_another_function_for_one_thread_only_and_leaves_no_trace() -> None:
    import builtins

    before = builtins.__import__
    switch = ImportSwitch()
    calls = []
    switch.turn_on(lambda *arguments, **named: calls.append(arguments[0]) or switch.original(*arguments, **named))
    try:
        import json  # noqa: F401 - importing is the test

        thread = threading.Thread(target=lambda: __import__("json"))
        thread.start()
        thread.join()
    finally:
        switch.turn_off()
    assert calls == ["json"]
    assert builtins.__import__ is before
