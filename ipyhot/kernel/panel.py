"""The panel under the ``%hotwatch`` cell, as text and as HTML. Pure: a state in, strings out.

Everything that comes from a file, its name included, is escaped.
"""

import html
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ipyhot.core.model import Failure, Report

__all__ = ["SHOWN", "State", "as_html", "as_text", "line"]

SHOWN: Final = 50
_STYLE: Final = (
    "font-family:var(--jp-code-font-family,monospace);font-size:12px;line-height:1.5;"
    "border-left:3px solid {color};padding:2px 10px;margin:2px 0"
)


@dataclass(frozen=True, slots=True)
class State:
    """What the panel shows: ``latest`` handlers with their generation, ``loading`` a slow file and its seconds so far."""

    folders: tuple[str, ...]
    generation: int
    count: int
    latest: Sequence[tuple[str, int]]
    failures: Mapping[str, Failure]
    history: Sequence[Report]
    loading: tuple[str, float] | None = None
    is_stopped: bool = False
    notes: tuple[str, ...] = ()


def as_text(state: State) -> str:
    """Return the panel as plain text."""
    lines = [_headline(state)]
    lines += [_slow(state.loading)] if state.loading else []
    lines += [f"! {note}" for note in state.notes]
    for name, failure in state.failures.items():
        lines.append(f"✗ {name}: {failure}")
        lines += [f"    {row}" for row in failure.text.splitlines()]
    lines += [f"  {name}  generation {generation}" for name, generation in state.latest]
    if state.count > len(state.latest):
        lines.append(f"  … {state.count - len(state.latest)} more")
    if state.history:
        lines.append(f"last: {state.history[-1]}")
    return "\n".join(lines)


def as_html(state: State) -> str:
    """Return the panel as HTML, without script; its root carries ``data-gen`` and ``data-errors``."""
    color = "var(--jp-error-color1,#d32f2f)" if state.failures else "var(--jp-success-color1,#388e3c)"
    style = f'style="{_STYLE.format(color=color)}"'
    parts = [
        f'<div class="ipyhot-panel" data-gen="{state.generation}" data-errors="{len(state.failures)}" {style}>',
        f"<div><b>{html.escape(_headline(state))}</b></div>",
    ]
    parts += [f'<div role="status">{html.escape(_slow(state.loading))}</div>'] if state.loading else []
    parts += [f"<div>{html.escape(note)}</div>" for note in state.notes]
    parts += [_failure(name, failure) for name, failure in state.failures.items()]
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>generation {generation}</td></tr>" for name, generation in state.latest
    )
    more = state.count - len(state.latest)
    rest = f"<div>… {more} more</div>" if more > 0 else ""
    is_open = " open" if more <= 0 else ""
    parts.append(f"<details{is_open}><summary>{state.count} handlers</summary><table>{rows}</table>{rest}</details>")
    if state.history:
        parts.append(f"<div>{html.escape(_last(state.history[-1]))}</div>")
    return "".join([*parts, "</div>"])


def line(report: Report) -> str:
    """Return a report as the one line a terminal shows."""
    sign = "✗" if report.failures else "✓"
    details = "".join(f"\n{failure.text}" for failure in report.failures.values() if failure.text)
    return f"{sign} ipyhot: {report}{details}"


def _headline(state: State) -> str:
    folders = ", ".join(state.folders) or "no folder"
    if state.is_stopped:
        return f"{folders}: no longer watched (generation {state.generation})"
    troubled = f", {len(state.failures)} not live" if state.failures else ""
    return f"{folders}: generation {state.generation}{troubled}"


def _slow(loading: tuple[str, float]) -> str:
    name, seconds = loading
    return f"{name} has been loading for {seconds:.0f} s; the last good version is live. %hot cancel stops it."


def _failure(name: str, failure: Failure) -> str:
    text = f"<pre style='margin:0'>{html.escape(failure.text)}</pre>" if failure.text else ""
    at = time.strftime("%H:%M:%S", time.localtime(failure.since))
    return (
        f'<div class="ipyhot-error" data-name="{html.escape(name, quote=True)}">'
        f"<b>{html.escape(name)}</b>: {html.escape(str(failure))}, since {at}{text}</div>"
    )


def _last(report: Report) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(report.at))
    why = [f"{name}: {reason}" for name, reason in report.reasons.items()][:3]
    reasons = f" ({'; '.join(why)})" if why else ""
    return f"{at}: {report}{reasons}; built after {report.built_ms:.1f} ms, live after {report.live_ms:.1f} ms"
