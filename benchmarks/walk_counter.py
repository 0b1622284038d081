"""A pytest plugin that counts the walks over the heap that edits need: ``pytest -p walk_counter``."""

import collections
import json
from typing import Any

import pytest

from ipyhot.core.engine import Engine
from ipyhot.core.heap import Walks
from ipyhot.core.model import Report, Way

_counts: collections.Counter[str] = collections.Counter(edits=0, needing=0, walks=0)


def pytest_configure() -> None:
    """Let each engine's updates be counted."""
    update = Engine.update

    def counted(self: Engine, *arguments: Any, **named: Any) -> Report | None:
        before = Walks.count
        report = update(self, *arguments, **named)
        if report is not None and set(report.ways.values()) - {
            Way.LOAD
        }:  # files that are loaded for the first time are no edit
            walks = Walks.count - before
            _counts.update(edits=1, needing=walks > 0, walks=walks)
        return report

    Engine.update = counted  # type: ignore[method-assign]  # to count is its purpose


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts as one line of JSON."""
    terminalreporter.write_line(json.dumps(_counts))
