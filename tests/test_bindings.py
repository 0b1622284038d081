"""Names that cells imported follow, exactly as their import statements say; names of the user's own are the user's."""

import pytest
from conftest import World

ONE = "K = 1\nL = [1]\n\ndef f():\n    return K\n"
TWO = "K = 2\nL = [2]\n\ndef f():\n    return K\n"


def follow(world: World, cell: str, expression: str) -> object:
    world.watch({"m.py": ONE})
    world.ok(cell)
    world.save({"m.py": TWO})
    return world.value(expression)


@pytest.mark.parametrize(
    ("cell", "expression", "expected"),
    [
        ("from PKG.m import K", "K", 2),
        ("from PKG.m import K as Q, f as g", "(Q, g())", (2, 2)),
        ("from PKG.m import *", "(K, L, f())", (2, [2], 2)),
        ("import PKG.m", "PKG.m.K", 2),
        ("import PKG.m as mod", "mod.K", 2),
        ("from PKG import m as mod", "mod.K", 2),
        ("if True:\n    from PKG.m import K", "K", 2),
        ("try:\n    from PKG.m import K\nexcept ImportError:\n    K = None", "K", 2),
        ("for _ in range(1):\n    from PKG.m import K", "K", 2),
        ("from contextlib import nullcontext\nwith nullcontext():\n    from PKG.m import K", "K", 2),
        ("import importlib\nmod = importlib.import_module('PKG.m')", "mod.K", 2),
        ("mod = hot.handlers.m", "mod.K", 2),
        ("from PKG.m import K; x = 1", "K", 2),
        ("from PKG.m import K\n%time pass", "K", 2),
    ],
)
def test_a_name_that_a_cell_imported_follows(world: World, cell: str, expression: str, expected: object) -> None:
    assert follow(world, cell, expression) == expected


@pytest.mark.parametrize(
    "cells",
    [
        ["from PKG.m import K\nK = 1"],
        ["from PKG.m import K", "K = 1"],
        ["from PKG.m import K", "K: int = 1"],
        ["from PKG.m import K", "K += 0"],
        ["from PKG.m import K", "for K in [1]: pass"],
        ["from PKG.m import K", "(K := 1)"],
        ["from PKG.m import K", "K, other = 1, 2"],
        ["K = 1"],
        ["def h():\n    from PKG.m import K\n    return K\nK = 1"],
    ],
)
def test_a_name_that_the_user_bound_is_the_users(world: World, cells: list[str]) -> None:
    world.watch({"m.py": ONE})
    for cell in cells:
        world.ok(cell)
    world.save({"m.py": TWO})
    assert world.value("K") == 1


def test_a_name_that_the_user_deleted_does_not_come_back(world: World) -> None:
    world.watch({"m.py": ONE})
    world.ok("from PKG.m import K")
    world.ok("del K")
    world.save({"m.py": TWO})
    assert world.value("'K' in globals()") is False


def test_a_name_imported_again_follows_again(world: World) -> None:
    world.watch({"m.py": ONE})
    for cell in ("from PKG.m import K", "K = 1", "from PKG.m import K"):
        world.ok(cell)
    world.save({"m.py": TWO})
    assert world.value("K") == 2


def test_a_name_follows_over_many_generations(world: World) -> None:
    world.watch({"m.py": ONE})
    world.ok("from PKG.m import K")
    for number in range(5):
        world.save({"m.py": f"K = {number + 10}\n"})
    assert world.value("K") == 14


def test_a_name_follows_while_the_cell_that_imported_it_still_runs(world: World) -> None:
    world.watch({"m.py": ONE})
    request = world.kernel.start(f"from {world.package}.m import K\nhot.wait(lambda: hot.handlers.m.K == 2)\nprint(K)")
    world.write({"m.py": TWO})
    assert world.kernel.finish(request).text.strip() == "2"
    world.save({"m.py": "K = 3\n"})
    assert world.value("K") == 3


def test_a_name_of_a_cell_that_failed_after_its_import_follows(world: World) -> None:
    world.watch({"m.py": ONE})
    assert world.run("from PKG.m import K\n1 / 0\nK = 5").error == "ZeroDivisionError"
    world.save({"m.py": TWO})
    assert world.value("K") == 2


def test_a_name_added_to_a_module_appears_where_a_star_took_all(world: World) -> None:
    world.watch({"m.py": ONE})
    world.ok("from PKG.m import *")
    world.save({"m.py": ONE + "NEW = 7\n"})
    assert world.value("NEW") == 7


def test_a_star_does_not_overwrite_what_the_user_bound(world: World) -> None:
    world.watch({"m.py": ONE})
    world.ok("from PKG.m import *")
    world.ok("L = 'mine'")
    world.save({"m.py": TWO})
    assert world.value("(K, L)") == (2, "mine")


def test_a_name_that_its_module_lost_keeps_its_last_value(world: World) -> None:
    assert follow(world, "from PKG.m import f, L", "f()") == 2
    world.save({"m.py": "K = 3\n"})
    assert world.value("L") == [2]


@pytest.mark.parametrize(
    "cell",
    [
        "1/0\nfrom PKG.m import K",
        "if 0:\n    from PKG.m import K",
        "try:\n    K = 12\nexcept Exception:\n    from PKG.m import K",
        "from PKG.m import K as other\ndef rebind():\n    global K\n    K = 12\nfrom PKG.m import K\nrebind()",
        "from PKG.m import K\nglobals()['K'] = 12",
        "from PKG.m import K\nmatch 12:\n    case K: pass",
    ],
)
def test_a_name_that_holds_something_else_after_its_import_is_the_users(world: World, cell: str) -> None:
    world.watch({"m.py": ONE})
    world.ok("K = 12")
    world.run(cell)
    world.save({"m.py": TWO})
    assert world.value("K") == 12


@pytest.mark.parametrize(
    "cell", ["%%time\nfrom PKG.m import K", "%time from PKG.m import K", "%%capture\nfrom PKG.m import K"]
)
def test_a_name_imported_under_a_magic_follows(world: World, cell: str) -> None:
    assert follow(world, cell, "K") == 2


def test_a_hidden_rebinding_in_a_cell_during_which_a_save_goes_live_is_kept(world: World) -> None:
    world.watch({"m.py": ONE})
    request = world.kernel.start(
        f"from {world.package}.m import K\nglobals()['K'] = 'mine'\nhot.wait(lambda: hot.handlers.m.K == 2)"
    )
    world.write({"m.py": TWO})
    world.kernel.finish(request)
    assert world.value("K") == "mine"
