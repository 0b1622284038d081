"""The dim line in the next cell that runs while something is held back."""

from conftest import World

BROKEN = "x = (\n"


def notices(displays: list[dict]) -> list[str]:
    return [d["data"]["text/plain"] for d in displays if "ipyhot-notice" in d["data"]["text/html"]]


def test_the_next_cell_says_once_what_is_not_live(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    live = world.generation
    world.save({"a.py": BROKEN})
    (told,) = notices(world.ok("pass").displays)
    assert "a.py:1 is not live (SyntaxError" in told
    assert f"generation {live} is still live" in told
    assert notices(world.ok("pass").displays) == []


def test_another_failure_is_told_again_and_the_first_one_is_not(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    world.ok("pass")
    world.save({"b.py": BROKEN})
    (told,) = notices(world.ok("pass").displays)
    assert "b.py" in told
    assert "a.py" not in told


def test_it_goes_when_it_is_healed(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.save({"a.py": BROKEN})
    (shown,) = (d for d in world.ok("pass").displays if "ipyhot-notice" in d["data"]["text/html"])
    request = world.kernel.start("hot.wait(lambda: not hot.errors)\nhot.wait(lambda: hot.handlers.a == 2)")
    world.write({"a.py": "exports = 2\n"})
    changed = world.kernel.finish(request).displays
    assert [d["data"]["text/html"] for d in changed if d["transient"] == shown["transient"]] == [""]
    number = world.value("hot.history[-1].number")
    world.write({"a.py": BROKEN})
    world.ok(f"hot.wait(lambda: hot.history[-1].number > {number})")
    assert len(notices(world.ok("pass").displays)) == 1


def test_many_failures_are_one_line(world: World) -> None:
    world.watch({f"m{index}.py": BROKEN for index in range(9)})
    (told,) = notices(world.ok("pass").displays)
    assert "and 6 more are not live" in told
    assert "\n" not in told
