"""What one code object does with names: reads, calls, binds and changes, instruction by instruction. Pure; any thread."""

import dis
import types
from dataclasses import dataclass, field
from typing import Final

from ipyhot.core.codes import OPTIMIZED, instructions

__all__ = ["LOADS", "MUTATORS", "SILENT", "STORES", "Chain", "Scan", "is_inert", "scanned"]

Chain = tuple[str, ...]
SILENT: Final = frozenset({"CACHE", "EXTENDED_ARG", "KW_NAMES", "NOP", "NOT_TAKEN", "PRECALL", "PUSH_NULL", "RESUME"})
LOADS: Final = frozenset({"LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_GLOBALS", "LOAD_GLOBAL", "LOAD_NAME"})
_ATTRIBUTES: Final = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_ASKS: Final = LOADS | _ATTRIBUTES | {"DELETE_ATTR", "IMPORT_FROM", "LOAD_SUPER_ATTR", "STORE_ATTR"}
_CALLS: Final = frozenset({"CALL", "CALL_FUNCTION_EX", "CALL_KW"})
STORES: Final = frozenset({"STORE_GLOBAL", "STORE_NAME"})
_DELETES: Final = frozenset({"DELETE_GLOBAL", "DELETE_NAME"})
_STAR: Final = ("CALL_INTRINSIC_1", 2)  # what became of IMPORT_STAR in 3.12
_REMAINDERS: Final = frozenset({6, 19})  # % and %=
_INERT: Final = (
    SILENT
    | LOADS
    | STORES
    | _DELETES
    | {
        "BUILD_CONST_KEY_MAP",
        "BUILD_LIST",
        "BUILD_MAP",
        "BUILD_TUPLE",
        "COPY",
        "IMPORT_FROM",
        "IMPORT_NAME",
        "IMPORT_STAR",
        "LOAD_ATTR",  # but for objects that are neither module nor class: see Effects
        "LOAD_CLOSURE",
        "LOAD_CONST",
        "LOAD_FAST",
        "LOAD_LOCALS",
        "LOAD_METHOD",
        "LOAD_SMALL_INT",
        "MAKE_CELL",
        "MAKE_FUNCTION",
        "POP_TOP",
        "RETURN_CONST",
        "RETURN_VALUE",
        "SETUP_ANNOTATIONS",
        "SET_FUNCTION_ATTRIBUTE",
        "STORE_DEREF",
        "STORE_FAST",
        "SWAP",
    }
)
MUTATORS: Final = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "subtract",
        "update",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
        "__setitem__",
        "__delitem__",
    }
)
_ANYTHING: Final = frozenset({"__import__", "eval", "exec", "globals", "locals", "vars"})
_ANY_MODULE: Final = frozenset({("sys", "modules"), ("importlib", "import_module"), ("importlib", "reload")})


@dataclass(slots=True)
class Scan:
    """What one code object does, without those inside it."""

    chains: set[Chain] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)
    sets: set[Chain] = field(default_factory=set)
    asks: set[str] = field(default_factory=set)
    annotates: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    calls: int = 0
    computes: bool = False
    effects: int = 0  # calls whose result is thrown away
    anything: str = ""


class _Reader:
    """Walks the instructions of one code object and notes which names meet which operations."""

    def __init__(self, code: types.CodeType) -> None:
        self.scan = Scan()
        self._chain: list[str] = []
        self._operands: list[Chain] = []  # simple operands that were pushed last, chains of names; () is another one
        self._is_called = False
        self._is_class_body = not code.co_flags & OPTIMIZED and code.co_name != "<module>"
        self._local = {"__name__"} if self._is_class_body else set[str]()
        for name, value in instructions(code):
            if name not in SILENT:
                self._read(name, value)
        self._finish()

    def _read(self, name: str, value: object) -> None:
        if name in _ASKS:
            self.scan.asks.add(str(value))
        elif name.startswith("FORMAT_") or (name == "BINARY_OP" and value in _REMAINDERS):
            self.scan.asks.add("format")
        elif name == "MATCH_CLASS":  # it reads attributes that stand in a constant
            self.scan.asks.add("getattr")
        if name in _ATTRIBUTES and self._chain:
            self._chain.append(str(value))
            return
        self._finish()
        scan = self.scan
        if name in _ATTRIBUTES and value in MUTATORS:  # of something that a name only leads to
            scan.mutates |= {chain[0] for chain in scan.chains}
        scan.computes |= name not in _INERT and (name, value) != _STAR
        if name in LOADS and str(value) not in self._local:
            self._chain = [str(value)]
            return
        if name.startswith("LOAD_") and name not in _ATTRIBUTES:
            self._operands.append(("'", value) if isinstance(value, str) and name == "LOAD_CONST" else ())
            return
        if name == "STORE_SUBSCR" and self._operands[-2:-1] == [("__annotations__",)] and self._operands[-1][:1] == ("'",):
            scan.annotates.add(self._operands[-1][1])
            scan.computes = scan.computes and scan.calls > 0
        elif name in {"STORE_SUBSCR", "DELETE_SUBSCR"}:
            self._mutate(-2)
        elif name == "STORE_SLICE":
            self._mutate(-3)
        elif name in {"STORE_ATTR", "DELETE_ATTR"}:
            self._mutate(-1)
            is_known = bool(self._operands) and self._operands[-1][:1] not in {(), ("'",)}
            owners = {self._operands[-1]} if is_known else {chain[:1] for chain in scan.chains}
            scan.sets |= {(*owner, str(value)) for owner in owners}
        elif name in STORES | _DELETES:
            if name in _DELETES:
                scan.deletes.add(str(value))
            scan.binds.add(str(value))
            self._local |= {str(value)} if self._is_class_body else set()
        elif name == "POP_TOP" and self._is_called:
            scan.effects += 1
        self._is_called = name in _CALLS
        scan.calls += self._is_called
        self._operands.clear()

    def _mutate(self, position: int) -> None:
        """Note that the operand at a position is changed in place; if it is not a simple one, any name may be."""
        found = self._operands[position] if len(self._operands) >= -position else None
        names = {chain[0] for chain in self.scan.chains} if found is None else {found[0]} if found else set()
        self.scan.mutates |= names - {"'"}

    def _finish(self) -> None:
        if not self._chain:
            return
        chain = tuple(self._chain)
        self._chain = []
        self._operands.append(chain)
        if chain == ("__annotations__",):
            return
        self.scan.chains.add(chain)
        if len(chain) > 1 and chain[-1] in MUTATORS:
            self.scan.mutates.add(chain[0])
        if chain[0] in _ANYTHING or chain[:2] in _ANY_MODULE:
            self.scan.anything = ".".join(chain[:2]) if chain[:2] in _ANY_MODULE else f"{chain[0]}()"


def scanned(code: types.CodeType) -> Scan:
    """Return what a code object does."""
    return _Reader(code).scan


def is_inert(code: types.CodeType) -> bool:
    """Tell whether a file does nothing while it is loaded but define, import and store."""
    return not code.co_code[::2].translate(None, _INERT_CODES)


_INERT_CODES: Final = bytes(
    number
    for name, number in dis.opmap.items()
    if name in _INERT - _ATTRIBUTES - {"IMPORT_STAR"} and number < 256  # noqa: PLR2004 - real codes fit a byte; pseudo ones do not
)
