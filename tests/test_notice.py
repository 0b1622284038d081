"""The dim line in the next cell that runs while something is held back."""

from conftest import World

from ipyhot.kernel import page

BROKEN = "x = (\n"


def notices(displays: list[dict]) -> list[str]:
    return [d["data"]["text/plain"] for d in displays if "ipyhot-notice" in d["data"]["text/html"]]


def next_cells(world: World, files: dict) -> list[str]:
    """Save, and return the notices of the cells after that: the one that waits may have begun before, or not."""
    return notices([*world.save(files).displays, *world.ok("pass").displays])


def test_the_next_cell_says_once_what_is_not_live(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    live = world.generation
    (told,) = next_cells(world, {"a.py": BROKEN})
    assert "a.py:1 is not live (SyntaxError" in told
    assert f"generation {live} is still live" in told
    assert notices(world.ok("pass").displays) == []


def test_another_failure_is_told_again_and_the_first_one_is_not(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.ok("pass")
    (told,) = next_cells(world, {"b.py": BROKEN})
    assert "b.py" in told
    assert "a.py" not in told


def test_it_goes_when_it_is_healed(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    displays = [*world.save({"a.py": BROKEN}).displays, *world.ok("pass").displays]
    (shown,) = (d for d in displays if "ipyhot-notice" in d["data"]["text/html"])
    outputs = [world.save({"a.py": "exports = 2\n"})]
    outputs += [world.settle(), world.ok("pass")]  # another round of the building thread: what it had to tell is told
    changed = [update for output in outputs for update in output.updates]
    assert {d["data"]["text/html"] for d in changed if d["transient"] == shown["transient"]} == {page.NOTHING}
    assert len(next_cells(world, {"a.py": BROKEN})) == 1


def test_many_failures_are_one_line(world: World) -> None:
    world.watch({f"m{index}.py": BROKEN for index in range(9)})
    (told,) = notices(world.ok("pass").displays)
    assert "and 6 more are not live" in told
    assert "\n" not in told
