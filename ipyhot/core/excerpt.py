"""Runs some statements of a file in a namespace that holds what the others have bound before.

Nothing may be read before the line that binds it, so the namespace is filled line by line: with what a statement makes
if it runs, with what is live if it does not. Used by the thread that builds; one module of a plan uses one Excerpt.
"""

import copy
import sys
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ipyhot.core.containers import FILLED, fill_deeds, holds_the_same
from ipyhot.core.facts import Kind
from ipyhot.core.heap import is_a
from ipyhot.core.outline import Outline, Statement
from ipyhot.core.staged import OWN_NAMES, Staged

__all__ = ["Excerpt"]


class Excerpt:
    """The statements of a module that its step names.

    Args:
        staged: the module; what is carried over, added to and made aside is noted in it.
        outline: its statements.
        namespace: where they run.
        load_first: loads those of some modules that are to be loaded and are not yet.
    """

    def __init__(
        self, staged: Staged, outline: Outline, namespace: dict[str, Any], load_first: Callable[[Iterable[str]], None]
    ) -> None:
        self._staged = staged
        self._outline = outline
        self._namespace = namespace
        self._load_first = load_first

    def run(self, everything: Mapping[str, Any]) -> None:
        """Run the statements over what a live namespace holds."""
        step, outline, namespace = self._staged.step, self._outline, self._namespace
        live = self._carry(everything)
        if any(statement.facts.annotates for statement in outline.statements):
            namespace["__annotations__"] = {}
        run = step.run or ()
        bound = {name for index in run for name in outline.statements[index].facts.binds}
        for index, statement in enumerate(outline.statements):
            is_aside = index in step.aside
            if (index in run or is_aside) and statement.code is not None:
                gathered = self._gathered(live.get(statement.facts.name)) if is_aside else []
                self._execute(statement.code, is_star=bool(statement.facts.stars) and statement.facts.kind is Kind.IMPORT)
                for container, before in gathered:
                    for deed in () if holds_the_same(container, before) else fill_deeds(container, before):
                        deed.do()
            if is_aside:
                self._cast(statement, live, bound)
            elif index not in run:
                self._skip(statement, live)
        self._keep_notes(live.get("__annotations__", {}))

    def _carry(self, everything: Mapping[str, Any]) -> dict[str, Any]:
        """Fill the namespace with what no statement binds; return what the others may take from the live one."""
        staged, namespace = self._staged, self._namespace
        live = {key: value for key, value in everything.items() if key not in OWN_NAMES and key not in staged.step.gone}
        for key in staged.step.grown & live.keys():
            if type(live[key]) in FILLED:
                staged.grown[key] = live[key] = copy.copy(live[key])
            elif is_a(live[key], type):
                staged.spared += [(value, value.copy()) for value in vars(live[key]).values() if type(value) in FILLED]
        staged.starred = self._starred(live)
        namespace.update((k, v) for k, v in live.items() if k not in self._outline.names and k not in staged.starred)
        namespace.pop("__annotations__", None)  # made anew from what each statement annotates
        staged.carried = dict(namespace)
        staged.carried.pop("__doc__", None)
        return live

    def _gathered(self, live: Any) -> list[tuple[Any, Any]]:
        """Return what the bases of a live class have gathered: a class that is made aside is none that they should know."""
        bases = live.__mro__[1:] if is_a(live, type) else ()
        found = [value for base in bases for value in vars(base).values() if type(value) in FILLED]
        return [(value, value.copy()) for value in found]

    def _execute(self, code: types.CodeType, *, is_star: bool) -> None:
        namespace = self._namespace
        bound: dict[str, Any] = {} if is_star else namespace  # which names a star stands for is seen in no other way
        exec(code, namespace, bound)  # noqa: S102 - executing the user's file is the purpose
        if is_star:
            namespace.update(bound)
            for name in bound:  # it may be what ran aside before has bound: the same object
                self._staged.carried.pop(name, None)

    def _starred(self, live: Mapping[str, Any]) -> set[str]:
        """Return the names that star imports which run again have taken before."""
        found: set[str] = set()
        for index in self._staged.step.run or ():
            for base in self._outline.statements[index].facts.stars:
                module = sys.modules.get(self._outline.resolve(base))
                if isinstance(module, types.ModuleType):
                    names = object.__getattribute__(module, "__dict__")
                    found.update(key for key, value in live.items() if key in names and names[key] is value)
        return found

    def _cast(self, statement: Statement, live: Mapping[str, Any], bound: Collection[str]) -> None:
        """Note what a statement that ran aside has made: it is the shadow of what is live, and does not go live."""
        for name in (statement.facts.binds & self._namespace.keys() & live.keys()).difference(bound):
            self._staged.carried[name] = self._namespace[name]
            if statement.facts.kind is not Kind.IMPORT:
                self._staged.shadows.append((self._namespace[name], live[name]))

    def _skip(self, statement: Statement, live: Mapping[str, Any]) -> None:
        """Carry over what a statement that does not run has bound."""
        if statement.facts.kind is Kind.IMPORT:
            self._load_first(self._outline.loads(statement))  # it may add to what later lines look into
        for name in statement.facts.binds & live.keys():
            self._namespace[name] = self._staged.carried[name] = live[name]
        notes = live.get("__annotations__", {})
        for name in statement.facts.annotates & notes.keys():
            self._namespace["__annotations__"][name] = notes[name]

    def _keep_notes(self, notes: Mapping[str, Any]) -> None:
        """Let the annotations of a module be the object that they are, if they say what they said."""
        made = self._namespace.get("__annotations__", {})
        if list(made) == list(notes) and all(made[name] is notes[name] for name in made) and made:
            self._namespace["__annotations__"] = self._staged.carried["__annotations__"] = notes
