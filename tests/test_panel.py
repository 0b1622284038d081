import re
from pathlib import Path

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
    assert len(re.findall("h\\d+ +generation 1", shown)) == panel.SHOWN
    assert "<details" in shown
    assert f"{1000 - panel.SHOWN} more" in shown


def test_the_panel_has_html_and_a_text_twin(world: World) -> None:
    (shown,) = world.watch({"a.py": "exports = 1\n"}).displays
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
    assert len(output.updates) <= 10 * seconds + 3


def test_a_quiet_watch_shows_no_panel(world: World) -> None:
    assert world.watch({"a.py": "exports = 1\n"}, "--quiet").displays == []


def test_the_words_at_a_prompt_say_the_same(world: World, kernel: Kernel) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "x = (\n"})
    assert "b.py:1: SyntaxError" in world.ok("%hot errors").text
    assert "generation" in world.ok("%hot history").text
    assert "a  generation" in world.ok("%hot status").text
    assert "reloaded" in world.ok("%hot reload a").text
    assert "nothing is loading" in world.ok("%hot cancel").text
    assert kernel.run("%hot nonsense").error is not None or "say one of" in kernel.run("%hot nonsense").text


def test_each_handler_says_what_happened_to_it_when_and_how_fast(world: World) -> None:
    world.watch({"a.py": "K = 1\nD = K\ndef f(): return 1\n", "b.py": "from .a import K\nL = K + 1\n"})
    world.save({"a.py": "K = 1\nD = K\ndef f(): return 2\n"})
    assert re.search(r"a  generation \d+, \d\d:\d\d:\d\d: patched f \(\d+\.\d ms\)", world.ok("%hot status").text)
    world.save({"a.py": "K = 2\nD = K\ndef f(): return 2\n"})
    assert re.search(r"b  generation \d+, .*: patched K \(", world.ok("%hot status").text)
    world.ok("hot.reload('a')")
    assert "reloaded because it was asked for" in world.ok("%hot status").text


def test_what_is_held_back_says_by_whom(world: World) -> None:
    world.watch({"a.py": "K = 1\n", "b.py": "from .a import K\n"})
    world.save({"a.py": "J = 1\n"})
    world.ok("pass")  # it gets the notice
    shown = world.ok("%hotwatch").displays[0]["data"]["text/html"]
    assert f"held back by {world.package}.b" in shown
    assert 'data-errors="2"' in shown


def test_a_generation_that_came_while_a_cell_ran_names_the_cell(world: World) -> None:
    world.watch({"a.py": "exports = 1\n"})
    request = world.kernel.start_running("hot.wait(lambda: hot.handlers.a == 2)")
    world.write({"a.py": "exports = 2\n"})
    world.kernel.finish(request)
    number = world.value("len(In) - 2")
    assert f"went live while In[{number}] was running" in world.ok("%hot status").text
    assert f"while In[{number}] was running" in world.ok("%hotwatch").displays[0]["data"]["text/html"]


def test_hotwatch_alone_shows_the_panel_again_and_the_old_place_says_so(world: World) -> None:
    (first,) = world.watch({"a.py": "exports = 1\n"}).displays
    output = world.ok("%hotwatch")
    (shown,) = output.displays
    assert 'class="ipyhot-panel"' in shown["data"]["text/html"]
    *_, moved = (update for update in output.updates if update["transient"] == first["transient"])
    assert f"the panel has moved to In[{world.value('len(In) - 2')}]" in moved["data"]["text/plain"]
    world.save({"a.py": "exports = 2\n"})
    request = world.kernel.start("hot.wait(lambda: hot.handlers.a == 3)")
    world.write({"a.py": "exports = 3\n"})
    updated = {update["transient"]["display_id"] for update in world.kernel.finish(request).updates}
    assert updated <= {shown["transient"]["display_id"]}


def test_the_last_update_says_that_the_kernel_has_stopped(tmp_path: Path) -> None:
    (tmp_path / "hots").mkdir()
    (tmp_path / "hots" / "a.py").write_text("exports = 1\n")
    kernel = Kernel(tmp_path)
    kernel.run("%load_ext ipyhot")
    kernel.client.shutdown()
    message = kernel.wait_for_panel("no longer watched")
    assert "generation 1 was live" in message["content"]["data"]["text/plain"]
    kernel.stop()


def test_groups_are_folded_and_say_how_many_they_hold(world: World) -> None:
    files = {f"deep/m{index}.py": "exports = 1\n" for index in range(20)}
    world.watch({**files, "near/a.py": "exports = 1\n"})
    shown = world.ok("%hotwatch").displays[0]["data"]["text/html"]
    assert re.search(r"<details[^>]*12px\"><summary>deep \(20\)", shown)
    assert re.search(r"<details[^>]* open><summary>near \(1\)", shown)


def test_how_long_ago_something_broke_is_told_in_minutes_and_hours() -> None:
    assert [panel.ago(0.0, seconds) for seconds in (-1, 59, 61, 3599, 7300)] == [
        "just now",
        "just now",
        "1 min ago",
        "59 min ago",
        "2 h ago",
    ]


def test_the_panel_changes_by_itself_only_when_it_would_read_otherwise() -> None:
    assert panel.next_change(state()) is None
    assert panel.next_change(state(failures={"a": failure(since=0.0)}, now=10.0)) == 50.0
    assert panel.next_change(state(failures={"a": failure(since=0.0)}, now=3700.0)) == 3500.0
    assert panel.next_change(state(failures={"a": failure(since=0.0)}, now=10.0, stopped=9.0)) is None


def test_the_panel_has_no_script_and_no_style_sheet() -> None:
    shown = page.as_html(state(failures={"a": failure()}))
    assert not re.search(r"<script|<style|\son\w+=|javascript:", shown)
    assert "<summary>" in shown


def test_the_objects_have_one_cheap_line_and_a_page(world: World) -> None:
    world.watch({"a.py": "exports = 1\n", "b.py": "x = (\n"})
    for name, part in (
        ("hot", "ipyhot-panel"),
        ("hot.handlers", "<table"),
        ("hot.errors", "ipyhot-error"),
        ("hot.history", "<table"),
        ("hot.history[-1]", "generation"),
    ):
        shown = world.value(f"get_ipython().display_formatter.format({name})[0]")
        assert part in shown["text/html"], name
        assert "<img" not in shown["text/html"]
    assert world.value("repr(hot)").startswith("<hot: generation ")
    assert world.value("'\\n' in repr(hot.history[-1])") is False


def test_the_line_for_a_thousand_handlers_stays_short(world: World) -> None:
    world.watch({f"m{index}.py": "exports = 1\n" for index in range(200)})
    assert world.value("len(repr(hot.handlers))") < 2000
    assert world.value("len(hot.handlers._repr_html_())") < 60_000
