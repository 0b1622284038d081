"""What fingers do by themselves: TAB, ?, %config, a profile, and %autoreload."""

from pathlib import Path

import pytest
from conftest import Kernel, World


def completions(world: World, code: str) -> list[str]:
    reply = world.kernel.client.complete(code.replace("PKG", world.package), reply=True, timeout=20)
    return reply["content"]["matches"]


@pytest.mark.parametrize("jedi", [True, False])
def test_hot_and_its_handlers_are_completed(world: World, jedi: bool) -> None:
    world.watch({"pricing.py": "def quote(): return 1\n", "billing/invoice.py": "exports = 1\n"})
    world.ok(f"get_ipython().Completer.use_jedi = {jedi}")
    names = {match.rpartition(".")[2] for match in completions(world, "hot.")}
    assert {"errors", "handlers", "history", "pin", "wait"} <= names
    assert not [name for name in names if name.startswith("_")]
    assert {m.rpartition(".")[2] for m in completions(world, "hot.handlers.")} >= {"pricing", "billing"}
    assert {m.rpartition(".")[2] for m in completions(world, "hot.handlers.pricing.qu")} == {"quote"}
    assert {m.rpartition(".")[2] for m in completions(world, "hot.handlers.billing.")} >= {"invoice"}
    keys = completions(world, 'hot.handlers["')
    assert {key.strip("\"'[]") for key in keys} >= {"pricing", "billing.invoice"}
    world.ok("get_ipython().Completer.use_jedi = True")


def test_a_folder_is_completed_after_hotwatch_with_its_options(world: World) -> None:
    (world.top / "other").mkdir()
    assert completions(world, "%hotwatch ./oth") == ["./other/"]
    assert completions(world, "%hotwatch --wh") == ["--when"]
    assert "idle" in completions(world, "%hotwatch ./other --when i")
    assert "errors" in completions(world, "%hot err")


def test_hotwatch_and_hotcell_explain_themselves(world: World) -> None:
    for magic, part in (("%hotwatch?", "%hotwatch --stop"), ("%%hotcell?", "%hot cells --stop"), ("%hot?", "cells")):
        reply = world.kernel.client.inspect(magic.strip("?"), reply=True, timeout=20)["content"]
        assert part in reply["data"]["text/plain"], magic


def test_config_lists_and_sets_what_can_be_set(world: World) -> None:
    shown = world.ok("%config HotMagics").text
    assert "HotMagics.folder" in shown
    assert "HotMagics.when" in shown
    assert "Choices: any of ['now', 'idle']" in shown
    assert "expected any of ['now', 'idle']" in world.run("%config HotMagics.when = 'sometimes'").text
    assert world.value("hot._session.when") == "now"


def test_a_profile_loads_it_and_watches_its_folder(tmp_path: Path) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "a.py").write_text("exports = 7\n")
    arguments = ("--InteractiveShellApp.extensions=ipyhot", "--HotMagics.folder=handlers", "--HotMagics.when=idle")
    kernel = Kernel(tmp_path, *arguments)
    try:
        assert kernel.value("(hot.handlers.a, hot._session.when)") == (7, "idle")
    finally:
        kernel.stop()


def test_autoreload_leaves_the_watched_modules_alone_and_says_so_once(tmp_path: Path) -> None:
    (tmp_path / "hots").mkdir()
    (tmp_path / "hots" / "a.py").write_text("import builtins\nbuiltins.runs = getattr(builtins, 'runs', 0) + 1\nK = 1\n")
    (tmp_path / "beside.py").write_text("K = 1\n")
    kernel = Kernel(tmp_path)
    try:
        kernel.run("%load_ext ipyhot")
        told = kernel.run("%load_ext autoreload\n%autoreload 2")
        (hint,) = (d for d in told.displays if "autoreload" in d["data"]["text/plain"])
        assert "1 watched modules" in hint["data"]["text/plain"]
        assert kernel.run("import hots.a, beside").displays == []
        (tmp_path / "hots" / "new.py").write_text("K = 1\n")
        (tmp_path / "hots" / "a.py").write_text("import builtins\nbuiltins.runs = getattr(builtins, 'runs', 0) + 1\nK = 2\n")
        (tmp_path / "beside.py").write_text("K = 22\n")
        kernel.run("hot.wait(lambda: hot.handlers.a.K == 2 and 'new' in hot.handlers)")
        kernel.run("pass")
        runs = kernel.value("__import__('builtins').runs")
        kernel.run("import os; os.utime('hots/a.py', (2e9, 2e9)); os.utime('beside.py', (2e9, 2e9))")
        kernel.run("pass")
        assert kernel.value("__import__('builtins').runs") == runs
        assert kernel.value("beside.K") == 22
        skipped = kernel.value("sorted(get_ipython().magics_manager.registry['AutoreloadMagics']._reloader.skip_modules)")
        assert {"hots.a", "hots.new"} <= set(skipped)
    finally:
        kernel.stop()
