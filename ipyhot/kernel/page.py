"""What people see as HTML: the panel, errors, handlers, history. Pure: records in, strings out; no script.

Everything that comes from a file, its name included, is escaped. Colours are those of the frontend's theme, with plain
ones where it has none, and all style stands at the elements: a sanitizer that drops style sheets leaves it.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ipyhot.core.model import Failure, Report
from ipyhot.kernel import panel
from ipyhot.kernel.panel import Row, State

__all__ = ["NOTHING", "as_html", "failures", "history", "notice", "report", "values"]

_ERROR: Final = "var(--jp-error-color1,var(--vscode-errorForeground,#d32f2f))"
_GOOD: Final = "var(--jp-success-color1,#388e3c)"
_INK: Final = "var(--jp-content-font-color1,var(--vscode-foreground,inherit))"
_MONO: Final = "font-family:var(--jp-code-font-family,monospace)"
_BOX: Final = (
    f"{_MONO};font-size:12px;line-height:1.5;color:{_INK};border-left:3px solid {{color}};padding:2px 10px;margin:2px 0"
)
_DIM: Final = "opacity:0.65"
_CELL: Final = "text-align:left;padding:0 16px 0 0;vertical-align:top;background:none;white-space:nowrap"
_LINES: Final = "font:inherit;color:inherit;background:none;margin:0;padding:0;white-space:pre-wrap"
_TEXT: Final = f"{_MONO};font-size:12px;color:inherit;background:none;margin:0 0 4px 0;max-height:16em;overflow:auto"
NOTHING: Final = "<div></div>"  # JupyterLab leaves what it shows as it is when it is told to show an empty text
_OPEN: Final = 12  # handlers that are shown unfolded


def as_html(state: State) -> str:
    """Return the panel; its root carries ``data-gen`` and ``data-errors``."""
    is_good = not state.failures and state.stopped is None
    style = _BOX.format(color=_GOOD if is_good else _ERROR if state.failures else "currentColor")
    numbers = f'data-gen="{state.generation}" data-errors="{len(state.failures)}"'
    parts = [f'<div class="ipyhot-panel" {numbers} role="region" aria-label="ipyhot" style="{style}">']
    parts.append(f"<div><b>{_text(panel.headline(state))}</b></div>")
    parts += [f'<div role="status">{_text(panel.slow(state.loading))}</div>'] if state.loading else []
    parts += [f"<div>{_text(note)}</div>" for note in state.notes]
    parts += [_failure(name, failure, state.now) for name, failure in state.failures.items()]
    if state.count:
        parts.append(_tree(state))
    if state.history:
        newest, *older = map(_text, panel.past(state))
        told = f"<details><summary>{newest}</summary>{'<br>'.join(older)}</details>" if older else newest
        parts.append(f'<div class="ipyhot-past" style="{_DIM}">{told}</div>')
    return "".join([*parts, "</div>"])


def values(shown: Sequence[tuple[str, str]], count: int) -> str:
    """Return handlers with the text of their values as a table."""
    body = "".join(f"<tr>{_head(name)}<td>{_text(value)}</td></tr>" for name, value in shown)
    more = f'<div style="{_DIM}">… {count - len(shown)} more</div>' if count > len(shown) else ""
    return f'<table style="{_MONO};font-size:12px;color:{_INK}">{body}</table>{more}' if count else "no handlers"


def failures(found: Mapping[str, Failure], now: float) -> str:
    """Return what is wrong, a block for each handler."""
    if not found:
        return f'<div style="{_BOX.format(color=_GOOD)}">no errors</div>'
    blocks = "".join(_failure(name, failure, now) for name, failure in found.items())
    return f'<div style="{_BOX.format(color=_ERROR)}">{blocks}</div>'


def history(reports: Sequence[Report]) -> str:
    """Return reports as a table, newest first."""
    lines = "".join(
        f'<tr><td style="{_CELL}">{panel.clock(report.at)}</td><td style="{_CELL}">{_text(str(report))}</td></tr>'
        for report in list(reports)[: -panel.SHOWN - 1 : -1]
    )
    return f'<table style="{_MONO};font-size:12px;color:{_INK}">{lines}</table>' if lines else "nothing happened yet"


def report(given: Report) -> str:
    """Return one report."""
    return history([given])


def notice(text: str) -> str:
    """Return one dim line."""
    return f'<div class="ipyhot-notice" style="{_MONO};font-size:12px;{_DIM};color:{_INK}">{_text(text)}</div>'


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _failure(name: str, failure: Failure, now: float) -> str:
    excerpt = _excerpt(failure)
    text = f'<pre tabindex="0" style="{_TEXT}">{_text(excerpt)}</pre>' if excerpt else ""
    return (
        f'<div class="ipyhot-error" data-name="{_text(name)}">'
        f'<span style="color:{_ERROR}"><b>✗ {_text(name)}</b> {_text(failure.summary)}</span> '
        f"<span>{_text(failure.place)}{_text(_held(failure))}; {_text(failure.still_live)}</span> "
        f'<span style="{_DIM}" title="since {panel.clock(failure.since)}">{panel.ago(failure.since, now)}</span>{text}</div>'
    )


def _excerpt(failure: Failure) -> str:
    """Return the text of an error without what stands above it already: of a syntax error, the line and the caret."""
    first, *rest = failure.text.splitlines() or [""]
    return "\n".join(rest[:-1]) if first.startswith('  File "') and len(rest) > 1 else failure.text


def _held(failure: Failure) -> str:
    return f", held back by {', '.join(failure.held_by)}" if failure.held_by else ""


def _tree(state: State) -> str:
    """Return the handlers that changed last, grouped by folder; large groups and long lists are folded."""
    is_open = " open" if state.count <= _OPEN else ""
    more = state.count - len(state.latest)
    rest = f'<div style="{_DIM}">… {more} more; hot.handlers has them all</div>' if more > 0 else ""
    handlers = "1 handler" if state.count == 1 else f"{state.count} handlers"
    label = f"{handlers}, the last {len(state.latest)} to change" if more > 0 else handlers
    inner = _group([(row.name.split("."), row) for row in state.latest], "", state)
    return f'<details class="ipyhot-tree"{is_open}><summary>{label}</summary>{inner}{rest}</details>'


def _group(entries: Iterable[tuple[list[str], Row]], path: str, state: State) -> str:
    """Return a line for what stands right here, then a fold for each group below, in the order they came."""
    here: list[tuple[str, Row]] = []
    below: dict[str, list[tuple[list[str], Row]]] = {}
    for parts, row in entries:
        if len(parts) == 1:
            here.append((parts[0], row))
        else:
            below.setdefault(parts[0], []).append((parts[1:], row))
    width = max((len(label) for label, _ in here), default=0)
    lines = [_row(label.ljust(width), row, state.failures.get(row.name)) for label, row in here]
    # Lines of one element, where a table would have five for each: the page pays for every element at every save.
    text = "\n".join(lines)
    found = [f'<pre style="{_LINES}">{text}</pre>'] if lines else []
    for name, inner in below.items():
        full = f"{path}.{name}" if path else name
        count = state.sizes.get(full, len(inner))
        is_open = " open" if count <= _OPEN else ""
        found.append(
            f'<details style="padding-left:12px"{is_open}><summary>{_text(name)} ({count})</summary>'
            f"{_group(inner, full, state)}</details>"
        )
    return "".join(found)


def _row(label: str, row: Row, failure: Failure | None) -> str:
    event = row.event
    what = event.what if event is not None else ""
    if failure is not None:
        what = f"held back by {', '.join(failure.held_by)}" if failure.held_by else "not live, see above"
    elif event is not None and event.during is not None:
        what = f"{what} while In[{event.during}] was running"
    at, ms = (panel.clock(event.at), f"{event.ms:.1f} ms") if event is not None else ("", "")
    told = f'<span style="color:{_ERROR}">{_text(what)}</span>' if failure is not None else _text(what)
    return f"{_text(label)}  generation {row.generation:<4} {at:8} {ms:>9}  {told}"


def _head(label: str) -> str:
    return f'<th scope="row" style="{_CELL};font-weight:normal">{_text(label)}</th>'
