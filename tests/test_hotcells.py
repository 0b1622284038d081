"""%%hotcell in a real kernel: what makes a cell run again, where its output goes, and what stops it."""

import itertools

import pytest
from conftest import Output, World

_names = itertools.count(1)


class Cell:
    """A cell of a notebook: run once, and watched for running again."""

    def __init__(self, world: World, code: str) -> None:
        self.kernel = world.kernel
        text = "\n".join(line.removeprefix("        ") for line in code.strip().splitlines())
        self.request = self.kernel.start(text.replace("PKG", world.package), cell=f"cell-{next(_names)}")
        self.first = self.kernel.finish(self.request)

    def again(self) -> Output:
        """Wait until it has run again."""
        return self.kernel.finish(self.request)


@pytest.fixture(autouse=True)
def cold(world: World):
    yield
    world.ok("%hot cells --stop")


def test_a_hot_cell_is_an_ordinary_cell_first(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    cell = Cell(world, "%%hotcell\nimport asyncio\nawait asyncio.to_thread(str)\nprint(hot.handlers.a)\n40 + 2")
    assert (cell.first.text, cell.first.result, cell.first.error) == ("1\n", "42", None)
    assert world.value("Out[len(In) - 2]") == 42


def test_it_runs_again_in_place_when_what_it_used_changes(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    cell = Cell(world, "%%hotcell\nprint(hot.handlers.a)")
    world.write({"a.py": "exports = 2\n"})
    again = cell.again()
    assert again.text == "2\n"
    assert again.cleared == [True]


@pytest.mark.parametrize(
    "reading",
    [
        "from PKG.a import f; print(f())",
        "import PKG.a; print(PKG.a.K)",
        "import PKG.a as m; print(m.f())",
        "print(hot.handlers.a.K)",
        "print(hot.handlers['a'].K)",
        "print(hot.handlers.get('a').K)",
        "print([m.K for m in hot.handlers.values()][0])",
        "print(earlier())",
        "print(K_earlier)",
        "print(list(map(held['f'], [1])))",
        "print(through())",
        "print(thing.method())",
        "from PKG import b; print(b.by_attribute())",
        "from PKG import b; print(b.by_call())",
        "from PKG import b; print(b.by_name())",
    ],
)
def test_every_way_of_using_a_module_is_recorded(world: World, reading: str) -> None:
    files = {
        "a.py": "K = 1\ndef f(n=0): return K\nclass Thing:\n    def method(self): return K\n",
        "b.py": "from . import a\nfrom .a import K, f\ndef by_attribute(): return a.K\ndef by_call(): return f()\n"
        "def by_name(): return K\n",
    }
    world.watch(files)
    world.ok(
        "from PKG.a import f as earlier, K as K_earlier, Thing\nimport PKG.a\nheld = {'f': PKG.a.f}\nthing = Thing()\n"
        "def through(): return PKG.a.K"
    )
    cell = Cell(world, f"%%hotcell\n{reading}")
    assert "1" in cell.first.text, cell.first.traceback
    world.write({"a.py": files["a.py"].replace("K = 1", "K = 5")})
    assert "5" in cell.again().text


def test_it_does_not_run_again_for_what_it_did_not_use(world: World) -> None:
    world.watch({"a.py": "def f(): return 1\n", "b.py": "def g(): return 1\n"})
    world.ok("runs = []\nuse_b = False\nfrom PKG import a, b\ndef either(): return b.g() if use_b else a.f()")
    cell = Cell(world, "%%hotcell\nruns.append(a.f())")
    world.save({"b.py": "def g(): return 2\n"})
    world.save({"a.py": "def f(): return 3\n"})
    world.ok("pass")
    assert world.value("runs") == [1, 3]
    assert cell.first.error is None


def test_named_handlers_take_the_place_of_what_is_recorded(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "deep/b.py": "exports = 1\n"})
    world.ok("runs = []")
    Cell(world, "%%hotcell deep\nruns.append(hot.handlers.a)")
    world.save({"a.py": "exports = 2\n"})
    world.save({"deep/b.py": "exports = 2\n"})
    world.ok("pass")
    assert world.value("runs") == [1, 2]


def test_a_traceback_takes_the_place_of_the_output_and_goes_again(world: World) -> None:
    world.watch({"a.py": "def f(): return 'fine'\n"})
    cell = Cell(world, "%%hotcell\nfrom PKG.a import f\nprint(f())")
    world.write({"a.py": "def f(): raise ValueError('not fine')\n"})
    again = cell.again()
    assert again.error == "ValueError"
    assert "ipyhot/kernel" not in again.traceback
    world.write({"a.py": "def f(): return 'fine again'\n"})
    assert cell.again().text == "fine again\n"


def test_a_hot_cell_that_needs_a_file_which_is_not_there_yet_runs_when_it_comes(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    cell = Cell(world, "%%hotcell\nfrom PKG.later import f\nprint(f())")
    assert cell.first.error == "ModuleNotFoundError"
    world.write({"later.py": "def f(): return 'came'\n"})
    assert cell.again().text == "came\n"


def test_what_gives_no_output_any_more_clears_the_old_one(world: World) -> None:
    world.watch({"a.py": "exports = 'shown'\n"})
    cell = Cell(world, "%%hotcell\nif hot.handlers.a: print(hot.handlers.a)")
    assert cell.first.text == "shown\n"
    world.write({"a.py": "exports = ''\n"})
    assert cell.again().cleared == [True, False]


def test_figures_are_drawn_again(world: World) -> None:
    world.watch({"a.py": "exports = [1, 2]\n"})
    cell = Cell(world, "%%hotcell\n%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot(hot.handlers.a);")
    world.write({"a.py": "exports = [2, 1]\n"})
    pictures = [shown["data"].get("image/png") for output in (cell.first, cell.again()) for shown in output.displays]
    drawn = [picture for picture in pictures if picture]
    assert len(drawn) == 2
    assert drawn[0] != drawn[1]


def test_the_counter_and_the_history_stay_as_they_are(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    cell = Cell(world, "%%hotcell\nprint(hot.handlers.a)")
    before = world.value("len(In)")
    world.write({"a.py": "exports = 2\n"})
    cell.again()
    assert world.value("len(In)") == before + 1


def test_a_result_keeps_its_number_and_a_semicolon_silences_it(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    shown = Cell(world, "%%hotcell\nhot.handlers.a")
    silent = Cell(world, "%%hotcell\nhot.handlers.a;")
    world.ok("'another result'")
    world.write({"a.py": "exports = 2\n"})
    again = shown.again()
    assert (again.result, again.number) == ("2", shown.first.number)
    assert silent.again().result is None
    assert world.value(f"(Out[{shown.first.number}], len(In) - {shown.first.number})") == (2, 4)


def test_the_next_cell_keeps_its_own_output(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    cell = Cell(world, "%%hotcell\nprint('hot', hot.handlers.a)")
    world.write({"a.py": "exports = 2\n"})
    assert cell.again().text == "hot 2\n"
    assert world.ok("print('mine')").text == "mine\n"


def test_it_waits_for_the_cell_that_is_running(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("order = []")
    cell = Cell(world, "%%hotcell\norder.append(('hot', hot.handlers.a))")
    request = world.kernel.start_running("hot.wait(lambda: hot.handlers.a == 2)\norder.append('cell')")
    world.write({"a.py": "exports = 2\n"})
    world.kernel.finish(request)
    cell.again()
    assert world.value("order") == [("hot", 1), "cell", ("hot", 2)]


def test_it_waits_for_an_await_of_the_cell_that_is_running(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("order = []\nimport asyncio")
    cell = Cell(world, "%%hotcell\norder.append(hot.handlers.a)")
    request = world.kernel.start_running(
        "await asyncio.to_thread(hot.wait, lambda: hot.handlers.a == 2)\n"
        "for _ in range(99): await asyncio.sleep(0)  # no time, but a turn of the event loop\n"
        "order.append('cell')"
    )
    world.write({"a.py": "exports = 2\n"})
    world.kernel.finish(request)
    cell.again()
    assert world.value("order") == [1, "cell", 2]


def test_a_burst_lets_it_run_once(world: World) -> None:
    world.watch({f"m{index}.py": "exports = 1\n" for index in range(8)})
    world.ok("runs = []")
    cell = Cell(world, "%%hotcell\nruns.append(sum(hot.handlers.values()))")
    request = world.kernel.start_running("hot.wait(lambda: sum(v for v in hot.handlers.values()) == 16)")
    world.write({f"m{index}.py": "exports = 2\n" for index in range(8)})
    world.kernel.finish(request)
    cell.again()
    assert world.value("runs") == [8, 16]


def test_two_hot_cells_run_in_order(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    first = Cell(world, "%%hotcell\nprice = hot.handlers.a * 10")
    second = Cell(world, "%%hotcell\nprint(price, hot.handlers.a)")
    world.write({"a.py": "exports = 2\n"})
    first.again()
    assert second.again().text == "20 2\n"


def test_a_change_while_it_runs_lets_it_run_once_more(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("seen = []")
    wait = "if len(seen) == 1: print('begins', flush=True); hot.wait(lambda: hot.handlers.a == 2)"
    request = world.kernel.start(f"%%hotcell\nseen.append(hot.handlers.a)\n{wait}", cell="busy")
    world.kernel.wait_for_text("begins")  # a save before that would be waited for
    world.write({"a.py": "exports = 2\n"})
    world.kernel.finish(request)
    world.kernel.finish(request)
    assert world.value("seen") == [1, 2]


ENDLESS = ["while True: pass", "import asyncio\nwhile True: await asyncio.sleep(0)"]  # busy, and turning the event loop


@pytest.mark.parametrize("body", ENDLESS)
def test_an_interrupt_stops_a_run_and_not_the_kernel(world: World, body: str) -> None:
    world.watch({"a.py": "exports = False\n"})
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    cell = Cell(world, f"%%hotcell\nprint('begins', flush=True)\nif hot.handlers.a:\n{indented}")
    world.write({"a.py": "exports = True\n"})
    world.kernel.wait_for_text("begins")
    world.kernel.manager.interrupt_kernel()
    stopped = cell.again()
    assert stopped.error in {"KeyboardInterrupt", "CancelledError"}
    assert world.value("1 + 1") == 2
    world.write({"a.py": "exports = False\n"})
    assert cell.again().text == "begins\n"


def test_the_list_names_what_each_uses_and_stopping_ends_it(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("runs = []")
    Cell(world, "%%hotcell\nruns.append(hot.handlers.a)")
    assert f"uses {world.package}.a; ran once" in world.ok("%hot cells").text
    assert "1 hot cell" in world.ok("%hot cells --stop").text
    world.save({"a.py": "exports = 2\n"})
    assert world.value("runs") == [1]
    assert "no hot cells" in world.ok("%hot cells").text


def test_a_cell_that_is_hot_no_more_does_not_run_again(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("runs = []")
    for line in ("%%hotcell", "# cold"):
        world.kernel.finish(world.kernel.start(f"{line}\nruns.append(hot.handlers.a)", cell="same"))
    world.save({"a.py": "exports = 2\n"})
    assert world.value("runs") == [1, 1]


def test_a_cell_without_a_name_runs_once(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("runs = []")
    world.ok("%%hotcell\nruns.append(hot.handlers.a)")
    world.save({"a.py": "exports = 2\n"})
    assert world.value("runs") == [1]
    assert "does not run again" in world.ok("%hot cells").text


def test_another_cell_magic_may_follow(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    cell = Cell(world, "%%hotcell\n%%time\nprint('timed', hot.handlers.a)")
    assert "Wall time" in cell.first.text
    world.write({"a.py": "exports = 2\n"})
    assert "timed 2" in cell.again().text


def test_names_that_a_hot_cell_imports_follow(world: World) -> None:
    world.watch({"a.py": "K = 1\n"})
    cell = Cell(world, "%%hotcell\nfrom PKG.a import K\nprint(K)")
    world.write({"a.py": "K = 2\n"})
    assert cell.again().text == "2\n"
    world.write({"a.py": "K = 3\n"})
    assert cell.again().text == "3\n"
    assert world.value("K") == 3


def test_a_file_that_breaks_lets_nothing_run(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("runs = []")
    Cell(world, "%%hotcell\nruns.append(hot.handlers.a)")
    world.save({"a.py": "exports = (\n"})
    assert world.value("runs") == [1]


def test_a_hot_cell_that_changes_what_it_uses_does_not_run_for_ever(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("runs = []")
    cell = Cell(world, "%%hotcell\nruns.append(hot.handlers.a)\nhot.reload('a')")
    told = ""
    while "changes what it uses" not in told:
        told = cell.again().text
    assert world.value("1 < len(runs) < 20") is True
    world.write({"a.py": "exports = 2\n"})
    assert cell.again().error is None
    assert world.value("runs[-1]") == 2


def test_a_hot_cell_that_saves_what_it_uses_does_not_run_for_ever(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    world.ok("import pathlib\nruns = []")
    save = f"pathlib.Path({str(world.folder / 'a.py')!r}).write_text(f'exports = {{hot.handlers.a + 1}}\\n')"
    cell = Cell(world, f"%%hotcell\nruns.append(hot.handlers.a)\n_ = {save}")
    told = ""
    while "changes what it uses" not in told:
        told = cell.again().text
    world.settle()
    assert world.value("1 < len(runs) < 20") is True


def test_a_cell_with_a_mistake_is_hot_once_it_is_mended(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    broken = world.kernel.finish(world.kernel.start("%%hotcell\nprint(hot.handlers.a", cell="mended"))
    assert broken.error in {"SyntaxError", "_IncompleteInputError"}  # as Python 3.13 calls it
    request = world.kernel.start("\n\n%%hotcell\nprint(hot.handlers.a)", cell="mended")
    assert world.kernel.finish(request).text == "1\n"
    world.write({"a.py": "exports = 2\n"})
    assert world.kernel.finish(request).text == "2\n"


def test_a_name_that_is_no_handler_yet_may_come(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    cell = Cell(world, "%%hotcell later\nprint(hot.handlers.get('later'))")
    assert cell.first.text == "None\n"
    world.write({"later.py": "exports = 'came'\n"})
    assert cell.again().text == "came\n"
