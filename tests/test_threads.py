"""No thread ever sees half of a generation. The readers run in the kernel, as fast as they can."""

from collections.abc import Callable

import pytest
from conftest import World

READERS = """
import sys, threading, collections
import PKG.m, PKG.user
from PKG import m as held
sys.setswitchinterval(1e-5)
torn, reads, stop = [], collections.Counter(), threading.Event()

def by_attribute():
    a, b = held.A, held.B
    return a, b

def by_import():
    from PKG.m import A, B
    return A, B

def by_function():
    return held.pair()

def by_dependent():
    return PKG.user.SUM, PKG.user.SUM

def by_handler():
    module = hot.handlers.m
    return module.pair()

def read(way):
    while not stop.is_set():
        a, b = way()
        reads[way.__name__] += 1
        if a != b:
            torn.append((way.__name__, a, b))

threads = [threading.Thread(target=read, args=[way]) for way in (by_attribute, by_import, by_function, by_handler)]
for thread in threads:
    thread.start()
"""

SLOW = """
import threading
A = {n}
{wait}  # the load that readers must not see half of
B = {n}

def pair():
    return A, B
"""
PATCHED = "is_set = threading.Event().wait({seconds} + 0 * A)"
RELOADED = "threading.Event().wait({seconds} + 0 * A)"


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("saves", "seconds", "wait", "way"),
    [
        (200, 0.05, PATCHED, "patched"),
        (100, 0, PATCHED, "patched"),
        (100, 0.05, RELOADED, "reloaded"),
        (100, 0, RELOADED, "reloaded"),
    ],
    ids=["slow patches", "quick patches", "slow reloads", "quick reloads"],
)
def test_no_reader_ever_sees_half_of_a_save(world: World, saves: int, seconds: float, wait: str, way: str) -> None:
    text = SLOW.replace("{wait}", wait).replace("{seconds}", str(seconds))
    world.watch({"m.py": text.replace("{n}", "0"), "user.py": "from PKG.m import A, B\nSUM = (A, B)\n"})
    world.ok(READERS)
    for number in range(1, saves + 1):
        world.write({"m.py": text.replace("{n}", str(number))})
        world.ok(f"hot.wait(lambda: hot.handlers.m.B == {number})")
    assert world.value("{report.ways['PKG.m'].value for report in list(hot.history)[-50:]}") == {way}
    world.ok("stop.set()\nfor thread in threads: thread.join()\nsys.setswitchinterval(0.005)")
    assert world.value("torn") == []
    assert world.value("sorted(reads)") == ["by_attribute", "by_function", "by_handler", "by_import"]


def test_dependents_and_what_they_import_are_of_one_generation_for_every_thread(world: World) -> None:
    world.watch({"a.py": "N = 0\n", "b.py": "from PKG.a import N\n"})
    world.ok("""
        import sys, threading
        import PKG.a as a, PKG.b as b
        sys.setswitchinterval(1e-5)
        torn, stop = [], threading.Event()
        def read():
            while not stop.is_set():
                x, y = a.N, b.N
                if x != y:
                    torn.append((x, y))
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads: thread.start()
    """)
    for number in range(1, 101):
        world.write({"a.py": f"N = {number}\n"})
        world.ok(f"hot.wait(lambda: hot.handlers.b.N == {number})")
    world.ok("stop.set()\nfor thread in threads: thread.join()\nsys.setswitchinterval(0.005)")
    assert world.value("torn") == []


def test_an_import_in_a_cell_and_the_builder_do_not_wait_for_each_other_for_ever(world: World) -> None:
    """The cell imports an unwatched module that imports a new watched one, which imports the unwatched one."""
    world.watch({"other.py": "X = 1\n"})
    (world.top / f"outside_{world.package}.py").write_text(
        f"import threading\nthreading.Event().wait(0.2)\nimport {world.package}.inside\n"
    )
    world.ok(f"import sys\nsys.path.insert(0, {str(world.top)!r})")
    world.write({"inside.py": f"import outside_{world.package}\nVALUE = 1\n"})
    world.run(f"import outside_{world.package}")  # it may fail with an ImportError that says why; it must end
    world.ok("hot.wait(lambda: 'inside' in hot.handlers)")
    assert world.value("hot.handlers.inside.VALUE") == 1


def test_imports_in_many_threads_and_saves_at_once_all_end(world: World) -> None:
    files = {f"m{index}.py": f"from PKG import m{(index + 1) % 6}\nX = 0\n" for index in range(6)}
    world.watch(files)
    world.ok("""
        import importlib, threading
        stop, failures = threading.Event(), []
        def work(index):
            while not stop.is_set():
                try:
                    importlib.import_module(f"PKG.m{index}").X
                    exec(f"from PKG.m{index} import X; import PKG.m{(index + 1) % 6} as other; other.X")
                except BaseException as error:
                    failures.append(repr(error))
                    return
        threads = [threading.Thread(target=work, args=[index]) for index in range(3)]
        for thread in threads: thread.start()
    """)
    for number in range(1, 13):
        name = f"m{number % 6}.py"
        world.write({name: files[name].replace("X = 0", f"X = {number}")})
        world.ok(f"hot.wait(lambda: hot.handlers.m{number % 6}.X == {number})")
    world.ok("stop.set()\nfor thread in threads: thread.join(10)")
    assert world.value("([thread.is_alive() for thread in threads], failures)") == ([False] * 3, [])


def in_place(number: object) -> str:
    return f"class K:\n    v = {number!r}\n"


def under_another_base(number: object) -> str:
    """Return a class that cannot become the one of the number before: Python makes a new one of it."""
    return f"class Base: pass\nclass K{'' if number in range(0, 100, 2) else '(Base)'}:\n    v = {number!r}\n"


@pytest.mark.parametrize("text", [in_place, under_another_base])
def test_instances_made_by_a_busy_thread_all_end_up_in_the_newest_class(world: World, text: Callable[[object], str]) -> None:
    world.watch({"m.py": text(0)})
    world.ok("""
        import threading, PKG.m
        kept, stop = [], threading.Event()
        def make():
            while not stop.wait(2e-5):
                kept.append(PKG.m.K())
        maker = threading.Thread(target=make)
        maker.start()
    """)
    for number in range(1, 41):
        world.write({"m.py": text(number)})
        world.ok(f"hot.wait(lambda: hot.handlers.m.K.v == {number})")
    world.ok("stop.set(); maker.join()")
    world.save({"m.py": text("last")})
    assert world.value("len(kept) > 0")
    assert world.value("[o.v for o in kept if not isinstance(o, PKG.m.K) or o.v != 'last']") == []
