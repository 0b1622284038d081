"""What a person sees in JupyterLab, seen by a browser."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import lab
import pytest

lab.skip_without_browser()
pytestmark = pytest.mark.timeout(60)  # a last resort: `lab.DEADLINE` comes first, and spares the browser


@pytest.fixture
def take_picture() -> Callable[[lab.Notebook, str], None]:
    """Return how to take a picture of a notebook, which is done only where `make images` wants them."""
    folder = os.environ.get("IPYHOT_IMAGES")
    return lambda book, name: book.picture(Path(folder, name)) if folder else None


WATCH = "%load_ext ipyhot\n%hotwatch ./hots"
PRICING = "RATE = 2\n\n\ndef quote(n):\n    return n * RATE\n"


def test_the_panel_follows_a_save_and_an_error_appears_and_heals(open_notebook) -> None:
    book = open_notebook([WATCH, "'mine'"], {"pricing.py": PRICING})
    book.run(0)
    book.panel(gen=1, errors=0)
    book.save({"pricing.py": PRICING.replace("n * RATE", "n * RATE + 1")})
    assert "patched quote" in book.panel(gen=2).inner_text()
    book.save({"pricing.py": PRICING.replace("(n)", "(n")})
    told = book.panel(gen=2, errors=1).inner_text()
    for part in ("pricing.py:4", "def quote(n:", "^", "'(' was never closed", "generation 2 is still live", "just now"):
        assert part in told
    book.run(1)
    assert "pricing.py:4 is not live" in book.cell(1).inner_text()
    book.save({"pricing.py": PRICING})
    assert "never closed" not in book.panel(gen=3, errors=0).inner_text()
    book.wait_until("book => !book.querySelector('.ipyhot-notice')")
    assert "'mine'" in book.cell(1).inner_text()


def test_a_hot_cell_with_a_figure_is_drawn_again_in_place(open_notebook, take_picture) -> None:
    draw = "%%hotcell\n%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot(hot.handlers.curve);"
    book = open_notebook([WATCH, draw, "'another cell'"], {"curve.py": "exports = [1, 2, 3]\n"})
    for index in range(3):
        book.run(index)
    first = book.cell(1).locator("img").get_attribute("src")
    book.save({"curve.py": "exports = [3, 2, 1]\n"})
    book.wait_until(
        "(book, old) => { const found = book.querySelectorAll('.jp-CodeCell')[1].querySelectorAll('img');"
        "  return found.length == 1 && found[0].src != old; }",
        first,
    )
    assert book.cell(0).locator("img").count() == book.cell(2).locator("img").count() == 0
    take_picture(book, "hot-cell.png")
    counters = [box.inner_text() for box in book.locator(".jp-CodeCell .jp-InputPrompt").all()]
    assert counters == ["[1]:", "[2]:", "[3]:"]


def test_a_hot_cells_text_widget_traceback_and_recovery_replace_each_other(open_notebook) -> None:
    show = "%%hotcell\nimport ipywidgets\nhot.handlers.show()"
    text = "import ipywidgets\ndef exports(): {body}\n"
    book = open_notebook([WATCH, show], {"show.py": text.format(body="print('as text')")})
    book.run(0)
    book.run(1)
    steps = [
        ("raise ValueError('as a traceback')", "as a traceback"),
        ("return ipywidgets.Label('as a widget')", "as a widget"),
        ("print('as text again')", "as text again"),
    ]
    before = "as text"
    for body, shown in steps:
        book.save({"show.py": text.format(body=body)})
        book.wait_until(
            "(book, part) => book.querySelectorAll('.jp-CodeCell')[1].querySelector('.jp-OutputArea').innerText.includes(part)",
            shown,
        )
        assert re.search(rf"{before}$", book.cell(1).inner_text(), re.MULTILINE) is None
        before = shown


def test_a_save_while_a_cell_runs_reaches_the_panel_at_once(open_notebook) -> None:
    wait = f"print('runs')\nhot.wait(lambda: hot.handlers.stop, timeout={lab.DEADLINE})\n'ended'"
    book = open_notebook([WATCH, wait, "%%hotcell\nprint('stop is', hot.handlers.stop)"], {"stop.py": "exports = False\n"})
    book.run(0)
    book.run(2)
    book.run(1, wait=False)
    book.wait_for_text("runs")
    book.save({"other.py": "exports = 1\n"})
    shown = book.panel(gen=2).inner_text()
    assert "went live while In[3] was running" in shown
    assert "'ended'" not in book.cell(1).inner_text()
    assert "stop is False" in book.cell(2).inner_text()
    book.save({"stop.py": "exports = True\n"})
    book.wait_for_text("'ended'")
    book.wait_for_text("stop is True")


def test_a_thousand_handlers_are_folded_and_the_one_that_changed_is_on_top(open_notebook) -> None:
    files = {f"group{index // 100}/m{index}.py": f"exports = {index}\n" for index in range(1000)}
    book = open_notebook([WATCH], files)
    book.run(0)
    assert "1000 handlers, the last 30 to change" in book.panel(gen=1).inner_text()
    book.save({"group3/m333.py": "exports = 'changed'\n"})
    panel = book.panel(gen=2)
    assert "group3.m333" in panel.inner_text()
    assert "group3 (100)" in panel.text_content()
    assert panel.text_content().count("exports") + panel.text_content().count("  loaded") <= 32


def test_hostile_names_and_texts_are_shown_and_do_nothing(open_notebook) -> None:
    image = "<img src=x onerror=window.hacked=1>"
    book = open_notebook([WATCH, "1"], {f"{image}.py": "exports = 1\n", "a.py": f"raise ValueError({image + '<b>'!r})\n"})
    book.run(0)
    shown = book.panel(errors=1)
    assert image in shown.inner_text()
    book.run(1)
    assert book.evaluate("() => window.hacked") is None
    assert book.locator(":is(.ipyhot-panel img, .ipyhot-panel b b, .ipyhot-notice img)").count() == 0


def test_rerunning_the_cell_moves_the_panel_and_a_reloaded_page_gets_it_back(open_notebook) -> None:
    book = open_notebook([WATCH, "%hotwatch"], {"a.py": "exports = 1\n"})
    book.run(0)
    book.run(0)
    book.panel(gen=1)
    assert book.locator(".ipyhot-panel").count() == 1
    book.keep()
    book.reload_page()
    book.run(1)
    book.save({"a.py": "exports = 2\n"})
    book.panel(gen=2)
    assert book.cell(1).locator(".ipyhot-panel[data-gen='2']").count() == 1


def test_the_panel_says_when_the_kernel_is_gone(open_notebook) -> None:
    book = open_notebook([WATCH, "exit"], {"a.py": "exports = 1\n"})
    book.run(0)
    book.panel(gen=1)
    book.run(1, wait=False)
    book.wait_for_text("no longer watched since")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_panel_is_legible_in_both_themes(open_notebook, take_picture, theme: str) -> None:
    """Contrast is measured as WCAG 2.1 asks for text: 4.5 to 1."""
    files = {"pricing.py": PRICING, "billing/invoice.py": "from ..pricing import quote\n", "billing/tax.py": "TAX = 1\n"}
    book = open_notebook([WATCH, "%%hotcell\nfrom hots.pricing import quote\nquote(21)"], files, f"shop_{theme.lower()}")
    book.evaluate(
        "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", f"JupyterLab {theme}"
    )
    book.page.wait_for_selector(f"body[data-jp-theme-light='{str(theme == 'Light').lower()}']", state="attached")
    book.run(0)
    book.run(1)
    book.save({"pricing.py": PRICING.replace("n * RATE", "n * RATE * 10")})
    book.wait_for_text("420")
    book.save({"billing/tax.py": "TAX = (1\n"})
    book.panel(errors=1)  # it is to be seen; a later update puts another element there
    ratios = book.evaluate(CONTRAST)
    assert ratios
    assert min(ratios.values()) >= 4.5, ratios
    take_picture(book, f"panel-{theme.lower()}.png")


CONTRAST = """() => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = element => {
        for (let e = element; e; e = e.parentElement) {
            const c = numbers(getComputedStyle(e).backgroundColor);
            if (c.length === 3 || c[3] > 0) return c;
        }
        return [255, 255, 255];
    };
    const alpha = element => {
        let found = 1;
        for (let e = element; e; e = e.parentElement) found *= Number(getComputedStyle(e).opacity);
        return found;
    };
    const found = {};
    for (const element of document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .ipyhot-panel *')) {
        const text = [...element.childNodes].filter(n => n.nodeType === 3 && n.data.trim()).map(n => n.data).join(' ');
        if (!text || !element.checkVisibility()) continue;
        const below = ground(element), a = alpha(element);
        const ink = numbers(getComputedStyle(element).color).slice(0, 3).map((c, i) => c * a + below[i] * (1 - a));
        const [bright, dark] = [light(ink), light(below)].sort((x, y) => y - x);
        found[text.slice(0, 40)] = (bright + 0.05) / (dark + 0.05);
    }
    return found;
}"""
