import re

from conftest import Kernel, World

from ipyhot.core.model import Failure
from ipyhot.kernel import page, panel

HOSTILE = "<img src=x onerror=alert(1)>"


def state(**changes: object) -> panel.State:
    given = {
        "folders": ("./hots",),
        "generation": 7,
        "count": 1,
        "latest": (panel.Row("pricing", 7),),
        "failures": {},
        "history": (),
        "now": 0.0,
    }
    return panel.State(**{**given, **changes})


def failure(**changes: object) -> Failure:
    given = {
        "name": "a",
        "path": "/hots/a.py",
        "line": 3,
        "summary": "SyntaxError: no",
        "text": "x = (\n    ^",
        "since": 0.0,
    }
    return Failure(**{**given, **changes})


def test_the_root_tells_generation_and_number_of_errors() -> None:
    assert page.as_html(state()).startswith('<div class="ipyhot-panel" data-gen="7" data-errors="0"')
    assert 'data-errors="1"' in page.as_html(state(failures={"a": failure()}))


def test_an_error_shows_place_line_caret_and_what_is_still_live() -> None:
    for shown in (
        page.as_html(state(failures={"a": failure(live=6)})),
        panel.as_text(state(failures={"a": failure(live=6)})),
    ):
        for part in ("/hots/a.py:3", "SyntaxError: no", "x = (", "^", "generation 6 is still live"):
            assert part in shown


def test_who_is_held_back_by_whom_is_shown() -> None:
    assert "held back by hots.b" in panel.as_text(state(failures={"a": failure(held_by=("hots.b",))}))


def test_whatever_comes_from_a_file_is_escaped() -> None:
    hostile = failure(name=HOSTILE, path=HOSTILE, summary=HOSTILE, text=HOSTILE, held_by=(HOSTILE,))
    shown = page.as_html(
        state(
            folders=(HOSTILE,),
            latest=(panel.Row(HOSTILE, 1),),
            failures={HOSTILE: hostile},
            notes=(HOSTILE,),
            loading=(HOSTILE, 6.0),
        )
    )
    assert "<img" not in shown
    assert "<script" not in shown


def test_a_slow_load_is_told_with_what_to_do() -> None:
    assert "%hot cancel" in panel.as_text(state(loading=("hots.a", 6.0)))


def test_a_thousand_handlers_are_folded() -> None:
    shown = page.as_html(state(count=1000, latest=tuple(panel.Row(f"h{index}", 1) for index in range(panel.SHOWN))))
    assert len(re.findall("<tr>", shown)) == panel.SHOWN
    assert "<details" in shown
    assert "950 more" in shown


def test_the_panel_has_html_and_a_text_twin(world: World) -> None:
    shown = world.watch({"a.py": "exports = 1\n"}).displays[-1]
    assert 'class="ipyhot-panel"' in shown["data"]["text/html"]
    assert "a  generation" in shown["data"]["text/plain"]
    assert shown["transient"]["display_id"].startswith("ipyhot-")


def test_a_burst_of_saves_is_at_most_ten_updates_a_second(world: World) -> None:
    world.watch({"a.py": "exports = 0\n"})
    request = world.kernel.start("hot.wait(lambda: hot.handlers.a == 30)")
    for number in range(1, 31):
        world.write({"a.py": f"exports = {number}\n"})
    output = world.kernel.finish(request)
    seconds = world.value("hot.history[-1].at - hot.history[-30].at if len(hot.history) >= 30 else 1.0")
    assert len(output.displays) <= 10 * seconds + 3


def test_a_quiet_watch_shows_no_panel(world: World) -> None:
    shown = world.watch({"a.py": "exports = 1\n"}, "--quiet").displays
    assert [
        display for display in shown if display["kind"] == "display_data"
    ] == []  # the last test's panel may still change


def test_the_words_at_a_prompt_say_the_same(world: World, kernel: Kernel) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "x = (\n"})
    assert "b.py:1: SyntaxError" in world.ok("%hot errors").text
    assert "generation" in world.ok("%hot history").text
    assert "a  generation" in world.ok("%hot status").text
    assert "reloaded" in world.ok("%hot reload a").text
    assert "nothing is loading" in world.ok("%hot cancel").text
    assert kernel.run("%hot nonsense").error is not None or "say one of" in kernel.run("%hot nonsense").text
