"""hot.pin(): functions and module values of one generation, whatever is saved meanwhile."""

import re

from conftest import World

FILES = {
    "rates.py": "RATE = 2\ndef rate(): return RATE\n",
    "pricing.py": """
        import functools
        from . import rates
        from .rates import RATE, rate
        def quote(n): return n * rate() * FACTOR
        def by_attribute(): return rates.RATE, rates.rate(), RATE
        def doubled(f):
            def inner(n): return 2 * f(n)
            return inner
        @doubled
        def decorated(n): return n * FACTOR
        @functools.lru_cache
        def cached(n): return n * FACTOR
        part = functools.partial(quote, 1)
        TABLE = {"q": quote, "deep": [quote]}
        def by_table(n): return TABLE["q"](n), TABLE["deep"][0](n)
        def with_default(n, *, factor=3): return n * factor
        def recursive(n): return FACTOR if n == 0 else recursive(n - 1)
        class Order:
            def total(self): return FACTOR
        CACHE = {}
        FACTOR = 10
        """,
}
CHANGED = {
    "rates.py": "RATE = 7\ndef rate(): return RATE * 100\n",
    "pricing.py": FILES["pricing.py"].replace("FACTOR = 10", "FACTOR = 50").replace("2 * f(n)", "3 * f(n)"),
}


def change(world: World) -> None:
    """Save both files; on a slow machine they may be two generations."""
    world.write(CHANGED)
    world.ok("hot.wait(lambda: (hot.handlers.rates.RATE, hot.handlers.pricing.FACTOR) == (7, 50))")


def test_functions_and_module_values_stay_those_of_the_generation(world: World) -> None:
    world.watch(FILES)
    world.ok("pin = hot.pin(); then = pin.__enter__(); p = then.pricing")
    calls = (
        "(p.quote(1), p.by_attribute(), p.decorated(1), p.cached(1), p.part(), p.by_table(1), p.FACTOR, then['rates'].RATE, "
        "p.with_default(1), p.recursive(3))"
    )
    before = world.value(calls)
    assert before == (20, (2, 2, 2), 20, 10, 20, (20, 20), 10, 2, 3, 10)
    change(world)
    assert world.value("hot.handlers.pricing.quote(1)") == 35000
    assert world.value(calls) == before


def test_classes_follow_and_isinstance_holds(world: World) -> None:
    world.watch(FILES)
    world.ok("pin = hot.pin(); then = pin.__enter__(); order = then.pricing.Order()")
    change(world)
    assert world.value("(order.total(), isinstance(order, hot.handlers.pricing.Order))") == (50, True)


def test_state_of_a_module_is_the_same_object(world: World) -> None:
    world.watch(FILES)
    world.ok("with hot.pin() as then: then.pricing.CACHE['k'] = 1")
    assert world.value("hot.handlers.pricing.CACHE") == {"k": 1}


def test_two_pins_are_two_generations(world: World) -> None:
    world.watch({"a.py": "def f(): return 1\n"})
    world.ok("first = hot.pin().__enter__()")
    world.save({"a.py": "def f(): return 2\n"})
    world.ok("second = hot.pin().__enter__()")
    world.save({"a.py": "def f(): return 3\n"})
    assert world.value("(first.a.f(), second.a.f(), hot.handlers.a.f())") == (1, 2, 3)


def test_a_handler_that_is_deleted_stays_in_the_pin(world: World) -> None:
    world.watch({"deep/a.py": "def f(): return 1\n"})
    world.ok("then = hot.pin().__enter__()")
    world.save({"deep/a.py": None})
    assert world.value("(then.deep.a.f(), then['deep.a'].f(), list(hot.handlers))") == (1, 1, [])


def test_who_does_not_pin_has_plain_functions(world: World) -> None:
    world.watch({"a.py": "def f(): return 1\n"})
    world.ok("from PKG.a import f\nwith hot.pin() as then: pass")
    assert world.value("f is hot.handlers.a.f and type(f).__name__ == 'function' and then.a.f is not f") is True


def test_a_pin_leaves_nothing_behind(world: World) -> None:
    world.watch(FILES)
    world.ok(
        "import gc, types\ndef modules(): gc.collect(); return sum(type(o) is types.ModuleType for o in gc.get_objects())"
    )
    before = world.value("modules()")
    world.ok("for _ in range(20):\n    with hot.pin() as then: then.pricing.quote(1)\ndel then")
    assert world.value("modules()") <= before


def test_a_pin_never_holds_two_generations(world: World) -> None:
    """Pinned over and over while generations come, each pin agrees with itself."""
    text = "K = {k}\ndef f(): return {k}\n"
    world.watch({"a.py": text.format(k=0), "b.py": "from .a import K, f\ndef g(): return K, f()\n"})
    code = """
        seen = []
        while hot.handlers.a.K < 30:
            with hot.pin() as then: seen.append((then.a.K, then.a.f(), *then.b.g()))
    """
    before = world.generation
    request = world.kernel.start(code)
    for number in range(1, 31):
        world.write({"a.py": text.format(k=number)})
        if number < 30:  # the last one ends the cell
            world.kernel.wait_for_panel(f'data-gen="{before + number}"')
    assert world.kernel.finish(request).error is None
    assert world.value("[pin for pin in seen if len(set(pin)) > 1]") == []
    assert world.value("len({pin[0] for pin in seen})") > 3


def test_a_traceback_of_a_pinned_function_shows_its_own_lines(world: World) -> None:
    world.watch({"a.py": "def f():\n    raise ValueError('the first text')\n"})
    world.ok("then = hot.pin().__enter__()")
    world.save({"a.py": "# moved\n\n\ndef f():\n    raise ValueError('another text')\n"})
    assert "raise ValueError('the first text')" in re.sub(r"\x1b\[[\d;]*m", "", world.run("then.a.f()").traceback)


def test_a_container_that_holds_itself_is_no_trap(world: World) -> None:
    world.watch({"a.py": "def f(): return 1\nloop = [f]\nloop.append(loop)\n"})
    world.ok("then = hot.pin().__enter__()")
    assert world.value("then.a.loop[0]()") == 1
