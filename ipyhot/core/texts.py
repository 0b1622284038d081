"""The outline of each live module and the code objects its functions are made of. One thread at a time.

An outline is made when an edit first asks for it: most modules are never edited.
"""

import types
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ipyhot.core.codes import CodeKey, codes_in, own_codes
from ipyhot.core.imports import Loader, keep_lines
from ipyhot.core.model import Source
from ipyhot.core.outline import NotSeparable, Outline, Statement, outline, revised
from ipyhot.core.scan import is_inert

__all__ = ["Texts"]


@dataclass(slots=True, eq=False)
class _Text:
    source: Source
    loader: Loader | None  # None if somebody else loaded it
    outline: Outline | None = None
    is_whole: bool = True  # its functions are made of the code of the file as a whole
    is_tried: bool = False

    def look(self) -> Outline | None:
        """Return the outline, made when first asked for."""
        if self.outline is None and not self.is_tried and self.loader is not None:
            self.is_tried = True
            try:
                self.outline = outline(
                    self.source.data,
                    self.loader.alias,
                    _package(self.source),
                    code=self.loader.compile(),
                    pin=self.loader.pin,
                )
            except NotSeparable:  # taken as a whole, then
                self.outline = None
        return self.outline

    @property
    def statements(self) -> frozenset[Statement]:
        """Its statements; none if it has no outline."""
        return frozenset(self.outline.statements) if self.outline is not None else frozenset()

    def codes(self, besides: Collection[Statement] = ()) -> Iterator[tuple[types.CodeType, object]]:
        """Yield the code objects of its functions, each with what keeps its lines; those of some statements are left out."""
        if self.outline is not None:
            yield from ((code, s.pin) for s in self.outline.statements if s not in besides for code in s.codes)
        elif self.loader is not None:
            yield from ((code, self.loader.pin) for code in codes_in(self.loader.compile()))


class Texts:
    """Live texts by module name, and what newer ones make of them."""

    def __init__(self) -> None:
        self._live: dict[str, _Text] = {}

    def arrive(self, source: Source, loader: object) -> None:
        """Take note of a module that was loaded as a whole."""
        self._live[source.name] = _Text(source, loader if isinstance(loader, Loader) else None)

    def outline_of(self, name: str) -> Outline | None:
        """Return the outline of a live module; None if it cannot be taken apart, or is not live."""
        found = self._live.get(name)
        return None if found is None else found.look()

    def revise(self, loader: Loader) -> Outline | None:
        """Return the outline of a newer text of a module, or of a new one; None if there is none, for whatever reason."""
        source = loader.source
        live = self._live.get(source.name)
        if live is None:
            return _outline(loader)
        before = live.look()
        if before is None:
            return None
        if source.digest == live.source.digest and source.path == live.source.path:
            return before
        try:
            return revised(before, source.data, loader.alias, pin=loader.pin)
        except NotSeparable:  # because of a boundary that was guessed, perhaps: cut the whole text anew
            pass
        return _outline(loader)

    def is_inert(self, name: str) -> bool:
        """Tell whether loading a live module does nothing but define and import."""
        text = self._live.get(name)
        if text is None or text.loader is None:
            return False
        if text.is_whole:
            return is_inert(text.loader.compile())
        found = text.look()
        return found is not None and all(not s.facts.used and s.facts.is_inert for s in found.statements)

    def codes(self, name: str) -> dict[CodeKey, types.CodeType]:
        """Return the code objects that the functions of a live module are made of."""
        found = self._live.get(name)
        return {} if found is None else own_codes(code for code, _ in found.codes())

    def replace(self, loader: Loader, new: Outline | None, code: types.CodeType | None) -> None:
        """Put a text that went live in place of the one before.

        Args:
            loader: holds it.
            new: its outline, if it has one.
            code: the file compiled as a whole, if it was executed so.
        """
        text = _Text(loader.source, loader, new, is_whole=code is not None)
        self._let_go(loader.source.name, text)
        self._live[loader.source.name] = text

    def forget(self, name: str) -> None:
        """Let go of a module that is not live any more."""
        self._let_go(name, None)
        self._live.pop(name, None)

    def _let_go(self, name: str, newer: _Text | None) -> None:
        """Keep the lines of what may still be running, or be held, for as long as it is."""
        before = self._live.get(name)
        if before is None:
            return
        shared = before.statements & newer.statements if newer is not None else frozenset()
        kept = {id(code) for code, _ in newer.codes(shared)} if newer is not None else set()
        for code, pin in before.codes(shared):
            if id(code) not in kept:
                keep_lines(code, pin)


def codes_of(new: Outline | None, code: types.CodeType | None) -> Mapping[CodeKey, types.CodeType]:
    """Return the code objects that the functions of a staged module are made of."""
    if code is not None:
        return own_codes(codes_in(code))
    return {} if new is None else new.codes


def _outline(loader: Loader) -> Outline | None:
    try:
        return outline(loader.source.data, loader.alias, _package(loader.source), pin=loader.pin)
    except NotSeparable:  # compiling it says what is wrong with it
        return None


def _package(source: Source) -> str:
    return source.name if source.is_package else source.parent
