"""What names of watched modules stand for, what a statement may meet through them, and whose objects it makes or changes.

Pure: outlines in, references out. One plan uses one ``Reach``.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ipyhot.core.drafts import ALL, EXISTS, STRANGERS_ASK, Drafts, is_asked
from ipyhot.core.facts import Facts, Kind
from ipyhot.core.outline import Outline, Statement
from ipyhot.core.scan import Chain

__all__ = ["Reach", "Ref"]

Ref = tuple[str, str | None]  # module and name in it; without a name any of them
_DEPTH = 10  # of names that only stand for other names


class Method(NamedTuple):
    """A function of a class, and what it may read when it is called."""

    name: str
    asks: frozenset[str]
    reads: list[Ref]


class Maker(NamedTuple):
    """A statement that makes what a name stands for, and what that may read when it is called."""

    statement: Statement
    reads: list[Ref]
    methods: list[Method]  # of a class
    is_strange: bool  # it may hand what it makes to code that is not watched

    @property
    def all_reads(self) -> list[Ref]:
        """What it may read, whatever is called of it."""
        return [*self.reads, *(read for method in self.methods for read in method.reads)]


class Reach:
    """Follows names through imports, definitions and aliases.

    Args:
        drafts: the outlines of modules as they are going to be.
        is_watched: whether a name belongs to a watched folder.
        asked_by_bases: what a library asks of a class of a module, given its name and what else is asked of its objects.
    """

    def __init__(
        self,
        drafts: Drafts,
        is_watched: Callable[[str], bool],
        asked_by_bases: Callable[[str, str, Iterable[str]], frozenset[str]] = lambda _module, _name, _asked: frozenset(),
    ) -> None:
        self._drafts = drafts
        self._is_watched = is_watched
        self._asked_by_bases = asked_by_bases
        self._expanded: dict[Ref, tuple[list[Maker], list[Ref]]] = {}
        self._quiet: set[tuple[str, str]] = set()  # classes without bases that ask for anything
        self._writes: dict[tuple[str, int], frozenset[tuple[str, str]]] = {}

    def refs(self, name: str, outline: Outline, chain: Chain) -> Iterator[Ref]:
        """Yield what a chain means in a module, as far as it is watched."""
        first, rest = chain[0], chain[1:]
        is_own = first in outline.names or first in outline.globals or self._drafts.was_bound(name, first)
        if is_own or outline.stars:
            yield name, first
            for base, attribute in outline.imported.get(first, ()):
                yield from self.imported(base, attribute, rest)
        for star in filter(self._is_watched, outline.stars):  # which of them had the last word is not looked at
            yield star, first
            yield from self.imported(star, first, rest) if rest else ()

    def imported(self, base: str, attribute: str | None, rest: Chain, depth: int = 0) -> Iterator[Ref]:
        """Yield what an imported name means, with the attributes that are read from it."""
        chain = rest if attribute is None else (attribute, *rest)
        while chain and self._drafts.is_module(f"{base}.{chain[0]}"):
            base, chain = f"{base}.{chain[0]}", chain[1:]
        if not self._is_watched(base):
            return
        yield base, chain[0] if chain else None
        outline = self._drafts.outline(base) if chain and depth < _DEPTH else None
        if outline is not None:
            origins = outline.imported.get(chain[0], [(star, chain[0]) for star in outline.stars])
            for further, name in origins:
                yield from self.imported(further, name, chain[1:], depth + 1)

    def import_refs(self, outline: Outline, imports: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[Ref]:
        """Yield what import statements take while they run."""
        for base, names in imports:
            base = outline.resolve(base)  # noqa: PLW2901 - relative to absolute
            parts = base.split(".")
            for end in range(1, len(parts) + 1):
                if self._is_watched(".".join(parts[:end])):
                    yield ".".join(parts[:end]), EXISTS
            for name in names:
                if name == ALL:
                    yield base, ALL
                elif self._drafts.is_module(f"{base}.{name}"):
                    yield f"{base}.{name}", EXISTS
                elif self._is_watched(base):
                    yield base, name

    def held(self, name: str, outline: Outline, statement: Statement) -> Iterator[Ref]:
        """Yield what a statement stores without computing with it."""
        for chain in statement.facts.held:
            yield from self.refs(name, outline, chain)
        yield from self.import_refs(outline, statement.facts.imports)

    def used(self, name: str, outline: Outline, statement: Statement) -> Iterator[Ref]:
        """Yield what a statement computes with."""
        facts = statement.facts
        computes = bool(facts.used)
        for chain in facts.used:
            yield from self.refs(name, outline, chain)
        for chain in facts.held:
            if self.is_computed(outline, chain):
                computes = True
                yield from self.refs(name, outline, chain)
        if computes and facts.kind is Kind.OTHER:
            for chain in facts.body:
                yield from self.refs(name, outline, chain)
        if facts.kind is Kind.CLASS:
            noticing = {chain for chain, _ in self._registered_with(name, outline, statement)}
            for chain in noticing | facts.metaclass:
                yield from self.refs(name, outline, chain)

    def needed(self, name: str, outline: Outline, statement: Statement) -> Iterator[Ref]:
        """Yield what a statement looks into while it runs: what it computes with, bases, and what it reads attributes of."""
        yield from self.used(name, outline, statement)
        for module, taken in self.import_refs(outline, statement.facts.imports):
            source = self._drafts.outline(module)
            if source is not None and "__getattr__" in source.names and taken not in {EXISTS, ALL} | source.names:
                yield module, taken
        for chain in statement.facts.held:
            if len(chain) > 1 or statement.facts.kind is Kind.CLASS:
                yield from self.refs(name, outline, chain)

    def reads(self, name: str, outline: Outline, statement: Statement) -> set[Ref]:
        """Return what a statement reads while it runs, by calls as well."""
        found = set(self.held(name, outline, statement))
        return found | {ref for ref, _, _ in self.reach(self.used(name, outline, statement))}

    def reads_anything(self, name: str, outline: Outline, statement: Statement) -> bool:
        """Tell whether a statement may read whatever there is while it runs, by calls as well."""
        return statement.facts.reads_anything or any(
            writer is not None and writer.facts.body_reads_anything
            for _, writer, _ in self.reach(self.used(name, outline, statement))
        )

    def is_computed(self, outline: Outline, chain: Chain) -> bool:
        """Tell whether reading a chain may run code: an attribute of anything but a module or class may be a property."""
        if len(chain) == 1 or {f.kind for f in self.binders(outline, chain[0])} == {Kind.CLASS}:
            return False
        origins = outline.imported.get(chain[0], ())
        modules = [attribute is None or self._drafts.is_module(f"{base}.{attribute}") for base, attribute in origins]
        return not modules or not all(modules)

    def binders(self, outline: Outline, name: str) -> list[Facts]:
        """Return the statements that bind a name."""
        return [
            outline.statements[i].facts for i in outline.writers.get(name, ()) if name in outline.statements[i].facts.binds
        ]

    def reach(
        self, refs: Iterable[Ref], *, of: Statement | None = None, asked: set[str] | None = None, is_open: bool = False
    ) -> Iterator[tuple[Ref, Statement | None, Outline | None]]:
        """Yield some names and all that what they stand for may read when it is called, with who binds them.

        Args:
            refs: where to start.
            of: the statement that reads them; what it does itself to their objects is not what it reads.
            asked: the attributes that the statement asks for; those that what it calls asks for are added. A method
                that nobody asks for is not called. None takes all of them as called.
            is_open: take all methods of an object that is there already as called: somebody else may call them.
        """
        seen: dict[Ref, bool] = {}  # each with whether it was met through such an object
        stack = [(ref, False) for ref in refs]
        uncalled: list[Method] = []
        classes: set[tuple[str, str]] = set()
        while stack:
            ref, is_there = stack.pop()
            if ref not in seen or (is_there and not seen[ref]):
                seen[ref] = is_there
                outline = self._drafts.outline(ref[0])
                yield ref, None, outline
                makers, further = self.expand(ref)
                stack += [(other, is_there) for other in further]
                for statement, reads, methods, is_strange in makers:
                    if statement is of:
                        continue
                    yield ref, statement, outline
                    stack += [(read, is_there or (is_open and statement.facts.kind is Kind.OTHER)) for read in reads]
                    if asked is None or is_there:
                        stack += [(read, is_there) for method in methods for read in method.reads]
                    if asked is not None:
                        asked |= statement.facts.asks if is_there else statement.facts.asks_beside
                        classes |= {(ref[0], statement.facts.name)} if statement.facts.kind is Kind.CLASS else set()
                        asked |= {STRANGERS_ASK} if is_strange else set()
                        uncalled += () if is_there else methods
            if asked is not None and not stack:
                stack += [(read, False) for read in self._called(uncalled, classes, asked)]

    def _called(self, methods: list[Method], classes: set[tuple[str, str]], asked: set[str]) -> list[Ref]:
        """Take out the methods that are asked for, and those that these ask for in turn; return what they read.

        Args:
            methods: those of the classes that were met.
            classes: the classes, as module and name; those of a library that they are derived from may ask for more.
            asked: what is asked for; what comes to be asked for is added.
        """
        reads: list[Ref] = []
        is_growing = True
        while is_growing:
            before = len(asked)
            for ref in classes - self._quiet:
                found = self._asked_by_bases(*ref, asked)
                self._quiet |= {ref} if not found else set()
                asked |= found
            called = [method for method in methods if is_asked(method.name, asked)]
            methods[:] = [method for method in methods if method not in called]
            for method in called:
                asked |= method.asks
                reads += method.reads
            is_growing = len(asked) > before
        return reads

    def expand(self, ref: Ref) -> tuple[list[Maker], list[Ref]]:
        """Return who makes what a name stands for, and the names that it may be instead."""
        found = self._expanded.get(ref)
        if found is None:
            found = self._expanded[ref] = self._expand(*ref)
        return found

    def _expand(self, module: str, name: str | None) -> tuple[list[Maker], list[Ref]]:
        outline = self._drafts.outline(module)
        if outline is not None and name is None:  # the module was handed on: any name of it may be asked for
            return [], [(module, bound) for bound in sorted(outline.names)]
        if outline is None or name in {EXISTS, ALL}:
            return [], []
        further: list[Ref] = []
        if name not in outline.names:
            further += [(star, name) for star in outline.stars if self._is_watched(star)]
        if name not in outline.writers and "__getattr__" in outline.names:
            further.append((module, "__getattr__"))
        makers = []
        for index in outline.writers.get(str(name), ()):
            statement = outline.statements[index]
            facts = statement.facts
            reads: list[Ref] = []
            for base, attribute in outline.imported.get(str(name), ()):
                reads += [found for found in self.imported(base, attribute, ()) if found[1] is not None]
            for chain in facts.held | facts.used | facts.body_beside:
                reads += self.refs(module, outline, chain)
            reads += self.import_refs(outline, facts.body_imports)
            methods = [
                Method(path, member.asks, [ref for chain in member.body for ref in self.refs(module, outline, chain)])
                for path, member in facts.members.items()
                if member.is_function
            ]
            makers.append(Maker(statement, reads, methods, self.meets_strangers(outline, facts)))
        return makers, further

    def meets_strangers(self, outline: Outline, facts: Facts) -> bool:
        """Tell whether a statement, or a function that it defines, uses what is not watched and imported; not of classes."""
        chains = () if facts.kind is Kind.CLASS else facts.used | facts.body
        return any(not self._is_watched(base) for chain in chains for base, _ in outline.imported.get(chain[0], ()))

    def leading_to(self, refs: Iterable[Ref], is_met: Callable[[Ref], bool]) -> set[Ref]:
        """Return those of some names, and of all that they may read, through which a name is met."""
        sources: dict[Ref, list[Ref]] = {}
        met: list[Ref] = []
        stack = list(refs)
        while stack:
            ref = stack.pop()
            if ref in sources:
                continue
            sources[ref] = []
            if is_met(ref):
                met.append(ref)
            makers, further = self.expand(ref)
            stack += further
            for maker in makers:
                stack += maker.all_reads
        for ref in sources:
            makers, further = self.expand(ref)
            for read in [*further, *(read for maker in makers for read in maker.all_reads)]:
                sources[read].append(ref)
        found: set[Ref] = set()
        while met:
            ref = met.pop()
            if ref not in found:
                found.add(ref)
                met += sources[ref]
        return found

    def writes(self, name: str, outline: Outline, index: int) -> frozenset[tuple[str, str]]:
        """Return every name whose object a statement makes or changes in place, as module and name."""
        key = (name, index)
        is_current = self._drafts.outline(name) is outline
        if is_current and key in self._writes:
            return self._writes[key]
        statement = outline.statements[index]
        found = {(name, bound) for bound in statement.facts.binds}
        for changed in statement.facts.mutates:
            found.update(self._same_object(name, outline, changed))
            if changed in outline.imported or outline.stars:
                chains = (chain[:2] for chain in statement.facts.held | statement.facts.used if len(chain) > 1)
                parts = {ref for chain in chains if chain[0] == changed for ref in self.refs(name, outline, chain)}
                found.update((module, attr) for module, attr in parts if attr is not None and module != name)
        for chain in statement.facts.sets:
            refs = self.refs(name, outline, chain)
            found.update((module, attr) for module, attr in refs if attr == chain[-1] and module != name)
        found.update(self._written_by_calls(name, outline, statement))
        result = frozenset(found)
        if is_current:
            self._writes[key] = result
        return result

    def kept_in(self, name: str, outline: Outline, index: int) -> Iterator[tuple[str, str]]:
        """Yield the names whose object keeps what a statement defines, or is given: registries, dispatchers."""
        facts = outline.statements[index].facts
        if facts.mutates or facts.is_decorated or facts.kind is Kind.CLASS:
            yield from (ref for ref in self.writes(name, outline, index) if ref[0] != name or ref[1] not in facts.binds)

    def all_writes(self, name: str, outline: Outline) -> set[tuple[str, str]]:
        """Return every name whose object some statement of a module makes or changes in place."""
        return {ref for index in range(len(outline.statements)) for ref in self.writes(name, outline, index)}

    def _same_object(self, name: str, outline: Outline, changed: str) -> set[tuple[str, str]]:
        """Return every name that stands for the object of one: what it was imported from, or is an alias of."""
        found: set[tuple[str, str]] = set()
        stack = [(name, changed)]
        while stack:
            ref = stack.pop()
            where = outline if ref[0] == name else self._drafts.outline(ref[0])
            if ref in found or where is None:
                continue
            found.add(ref)
            writers = [where.statements[index].facts for index in where.writers.get(ref[1], ())]
            aliases = [facts for facts in writers if facts.is_alias and ref[1] in facts.binds]
            chains = [chain for facts in aliases for chain in facts.held] + [(ref[1],)]
            stack += [(m, a) for chain in chains for m, a in self.refs(ref[0], where, chain) if a is not None]
        return found

    def _written_by_calls(self, name: str, outline: Outline, statement: Statement) -> Iterator[tuple[str, str]]:
        is_still = not outline.has_mutators and not any(self._is_watched(base) for base, _ in outline.imports)
        for (module, _), writer, where in self.reach(() if is_still else self.used(name, outline, statement)):
            if writer is not None and where is not None and writer.facts.kind in {Kind.FUNCTION, Kind.CLASS}:
                yield from self._data(module, where, writer.facts)
        if statement.facts.kind is Kind.OTHER and statement.facts.used:
            yield from self._data(name, outline, statement.facts)
        if statement.facts.kind is Kind.CLASS:
            yield from (ref for _, ref in self._registered_with(name, outline, statement))

    def _data(self, module: str, outline: Outline, facts: Facts) -> Iterator[tuple[str, str]]:
        """Yield the names whose object functions of a statement change in place."""
        for changed in facts.body_mutates:
            parts = [
                (other, attr)
                for chain in facts.body
                if changed in outline.imported and chain[0] == changed and len(chain) > 1
                for other, attr in self.refs(module, outline, chain[:2])
                if attr is not None and other != module
            ]
            yield from parts or self._same_object(module, outline, changed)

    def _registered_with(self, name: str, outline: Outline, statement: Statement) -> Iterator[tuple[Chain, tuple[str, str]]]:
        """Yield the bases and metaclasses that take note of each class that is made of them."""
        for chain in statement.facts.held | statement.facts.used:
            for ref in self.refs(name, outline, chain):
                where = self._drafts.outline(ref[0])
                for module, attr in self._same_object(ref[0], where, ref[1]) if where is not None and ref[1] else ():
                    maker = self._drafts.outline(module)
                    if maker is not None and self._takes_note(module, maker, attr):
                        yield chain, (module, attr)

    def _takes_note(self, module: str, outline: Outline, attr: str, depth: int = 0) -> bool:
        hooks = ("__init_subclass__", "__new__", "__init__")
        for index in outline.writers.get(attr, ()):
            facts = outline.statements[index].facts
            is_meta = any(chain == ("type",) for chain in facts.held | facts.used) and facts.kind is Kind.CLASS
            if any((f"{attr}.{hook}", 0) in outline.codes for hook in (hooks if is_meta else hooks[:1])):
                return True
            if facts.kind is not Kind.CLASS:
                continue
            for chain in facts.held:
                for base, inner in self.refs(module, outline, chain):
                    where = self._drafts.outline(base)
                    is_further = depth < _DEPTH and (base, inner) != (module, attr)
                    if inner and where is not None and is_further and self._takes_note(base, where, inner, depth + 1):
                        return True
        return False
