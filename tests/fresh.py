"""What a fresh process makes of the same files, and how to compare it with the modules that are live here.

``Portrait`` describes modules in plain values (lists, dicts, strings): names, values, code, what calls give, and which
names mean the identical object. ``Fresh`` is a process that never saw the engine: it forks for each request, imports
the files it is sent and sends their portrait back. This file is its main program, so it imports the standard library only.

Three habits of the programs that are described: a function whose name begins as in ``CHANGERS`` changes state and is
never called here; a parameter ``fn`` wants a function; a name that begins with REG means a dict whose order is nobody's
business (files fill it in the order of their imports).
"""

import collections
import dataclasses
import dis
import enum
import functools
import gc
import hashlib
import importlib
import inspect
import itertools
import linecache
import marshal
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import types
from typing import IO, Any

CHANGERS = ("register", "init")
DEEP = 3
TIMEOUT = 20

_CALLING = {dis.opmap.get(name) for name in ("CACHE", "PUSH_NULL", "LOAD_METHOD", "LOAD_ATTR", "EXTENDED_ARG")}
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_MEMORY = "/dev/shm"  # noqa: S108 - mkdtemp makes a folder of its own in it
_ATOMS = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented))
_LOOKED_AT = ("__init__", "__call__", "__repr__", "__init_subclass__", "__post_init__", "__len__", "__slots__")


def is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _probe() -> types.FunctionType:
    """Return a new function for a decorator to decorate; it is the same in both processes."""
    return types.FunctionType((lambda *args: ("probe", args)).__code__, {"__name__": "probe"}, "probe")


class Portrait:
    """Describes some modules of one package. What it described stays alive as long as it does, so that ids mean something."""

    def __init__(self, package: str, modules: dict[str, Any], homes: dict[int, str] | None = None) -> None:
        self.package = package
        self.modules = modules
        self.homes: dict[int, str] = {} if homes is None else homes
        self.seen: dict[int, str] = {}
        self.kept: list[object] = []
        self.depth = 0
        for name, module in sorted(modules.items()) if homes is None else ():
            for key, value in sorted(vars(module).items()):
                if not is_dunder(key) and type(value) not in (*_ATOMS, tuple, frozenset):
                    self._house(value, f"{name}.{key}")

    def anew(self) -> "Portrait":
        """Return one of the same modules that has described nothing yet."""
        return Portrait(self.package, self.modules, self.homes)

    def _house(self, value: Any, place: str) -> None:
        own = f"{_text(value, '__module__')}.{_text(value, '__qualname__')}"
        if own == f"{self.package}.{place}":
            self.homes[id(value)] = place
        else:
            self.homes.setdefault(id(value), place)

    def draw(self) -> dict[str, Any]:
        return {name: self.module(name, module) for name, module in sorted(self.modules.items())}

    def module(self, name: str, module: Any) -> dict[str, Any]:
        space = vars(module)
        told = {key: self.describe(value, f"{name}.{key}") for key, value in sorted(space.items()) if not is_dunder(key)}
        for key in ("__name__", "__doc__", "__all__"):
            told[key] = self.describe(space.get(key), f"{name}.{key}")
        annotations = space.get("__annotations__") or {}  # nobody looks at their order
        told["__annotations__"] = {key: self.describe(annotations[key], f"{name}:{key}") for key in sorted(annotations)}
        return told

    # -- values

    def describe(self, value: Any, place: str) -> Any:
        """Return a value as plain data; ``place`` says where it was found."""
        if _is_atom(value):
            return _plain(repr(value))
        home = self.homes.get(id(value))
        if home is not None and home != place:
            return f"-> {home}"
        if isinstance(value, type) and not self.is_ours(value):
            return f"class {value.__module__}.{value.__qualname__}"
        if type(value) not in {tuple, frozenset, types.MethodType}:
            before = self.seen.setdefault(id(value), place)
            if before != place:
                return f"= {before}"
        self.kept.append(value)
        return self._describe(value, place)

    def _describe(self, value: Any, place: str) -> Any:
        if isinstance(value, types.ModuleType):
            return f"module {value.__name__}"
        if isinstance(value, type):
            return self.klass(value, place)
        if isinstance(value, types.FunctionType):
            return self.function(value, place)
        if isinstance(value, types.MethodType):
            return {"method": self.describe(value.__func__, f"{place}.__func__"), "self": self.name_of(value.__self__)}
        if isinstance(value, staticmethod | classmethod):
            return {type(value).__name__: self.describe(value.__func__, f"{place}.__func__")}
        if isinstance(value, property):
            return {key: self.describe(getattr(value, key), f"{place}.{key}") for key in ("fget", "fset", "__doc__")}
        if isinstance(value, functools.cached_property):
            return {"cached": self.describe(value.func, f"{place}.func"), "name": value.attrname}
        if isinstance(value, functools.partial):
            parts = {key: self.describe(getattr(value, key), f"{place}.{key}") for key in ("func", "args", "keywords")}
            return {**parts, "calls": self.calls(value, place)}
        if hasattr(value, "cache_parameters"):
            return {"lru_cache": self.describe(value.__wrapped__, f"{place}.__wrapped__"), "calls": self.calls(value, place)}
        if isinstance(value, enum.Enum):
            return {
                "member": value.name,
                "of": self.name_of(type(value)),
                "value": self.describe(value.value, f"{place}.value"),
            }
        return self._container(value, place)

    def _container(self, value: Any, place: str) -> Any:
        if type(value) is dict:
            items = [
                [self.describe(key, f"{place}#"), self.describe(one, _plain(f"{place}[{key!r}]"))]
                for key, one in value.items()
            ]
            is_shared = place.rpartition(".")[2].startswith("REG")
            return {"dict": sorted(items, key=repr) if is_shared else items}
        if type(value) in {list, tuple, collections.deque}:
            return [type(value).__name__, *(self.describe(one, f"{place}[{at}]") for at, one in enumerate(value))]
        if type(value) in {set, frozenset}:
            return [type(value).__name__, *sorted(repr(self.describe(one, f"{place}{{}}")) for one in value)]
        if isinstance(value, types.GeneratorType):
            return {"yields": [self.describe(one, f"{place}[{at}]") for at, one in enumerate(itertools.islice(value, 9))]}
        if isinstance(value, types.CoroutineType):
            return {"awaited": self.describe(_await(value), f"{place}.await")}
        if isinstance(value, BaseException) and not self.is_ours(type(value)):
            return f"{type(value).__name__}: {_plain(str(value))}"
        if self.is_ours(type(value)):
            return self.instance(value, place)
        return _plain(repr(value))

    def name_of(self, value: Any) -> str:
        """Return who a class or an owner is, without describing it."""
        return self.homes.get(id(value)) or _plain(repr(value))

    def is_ours(self, klass: type) -> bool:
        return str(klass.__module__).startswith(self.package)

    # -- functions

    def function(self, fn: types.FunctionType, place: str) -> Any:
        if not str(fn.__module__).startswith(self.package):
            return f"function {fn.__module__}.{fn.__qualname__}"
        code = fn.__code__
        return {
            "name": fn.__name__,
            "qualname": fn.__qualname__,
            "module": fn.__module__,
            "code": _code(code),
            "line": code.co_firstlineno,
            "text": linecache.getline(code.co_filename, code.co_firstlineno),
            "home": self._home(fn),
            "free": [
                self._cell(name, cell, place) for name, cell in zip(code.co_freevars, fn.__closure__ or (), strict=True)
            ],
            "attributes": self.describe(dict(sorted(vars(fn).items())), f"{place}.__dict__"),  # in any order
            "defaults": self.describe(fn.__defaults__, f"{place}.__defaults__"),
            "kwdefaults": self.describe(fn.__kwdefaults__, f"{place}.__kwdefaults__"),
            **self.behaviour(fn, place),
        }

    def behaviour(self, fn: Any, place: str, like: Any = None) -> dict[str, Any]:
        """Return what a caller can see of a function, called as if it were another one."""
        return {
            "doc": fn.__doc__,
            "signature": self._signature(fn),
            "annotations": self.describe({**fn.__annotations__}, f"{place}.__annotations__"),
            "async": [inspect.iscoroutinefunction(fn), inspect.isgeneratorfunction(fn)],
            "calls": self.calls(fn, place, like),
        }

    def _home(self, fn: types.FunctionType) -> str:
        name = str(fn.__globals__.get("__name__"))
        module = self.modules.get(name.removeprefix(f"{self.package}."))
        return name if module is not None and vars(module) is fn.__globals__ else f"another {name}"

    def _signature(self, fn: Any) -> str:
        try:
            return _plain(str(inspect.signature(fn)))
        except Exception as error:
            return f"{type(error).__name__}: {_plain(str(error))}"

    def _cell(self, name: str, cell: types.CellType, place: str) -> Any:
        try:
            return [name, self.describe(cell.cell_contents, f"{place}.<{name}>")]
        except ValueError:
            return [name, "empty"]

    def calls(self, fn: Any, place: str, like: Any = None) -> Any:
        """Return what a callable gives for a few fixed arguments, which fit another one if that is given."""
        like = fn if like is None else like
        if self.depth >= DEEP or _text(like, "__name__").startswith(CHANGERS):
            return "not called"
        code = getattr(like, "__code__", None)
        wanted = code.co_varnames[0] if code is not None and code.co_argcount else ""
        if wanted in {"self", "cls"} and not isinstance(like, types.MethodType):
            return "a method"
        tries: list[tuple[object, ...]] = [(_probe(),)] if wanted == "fn" else [(), (2,)]
        return [self.call(fn, args, f"{place}({at})") for at, args in enumerate(tries)]

    def call(self, fn: Any, args: tuple[object, ...], place: str) -> Any:
        self.depth += 1
        try:
            return self.describe(fn(*args), place)
        except RecursionError:
            return "RecursionError"
        except Exception as error:
            return f"{type(error).__name__}: {_plain(str(error))}"
        finally:
            self.depth -= 1

    # -- classes

    def klass(self, cls: type, place: str) -> Any:
        told: dict[str, Any] = {
            "qualname": cls.__qualname__,
            "module": cls.__module__,
            "type": self.name_of(type(cls)),
            "doc": cls.__doc__,
            "mro": [self.name_of(base) for base in cls.__mro__[1:]],
            "bases": [self.name_of(base) for base in cls.__bases__],
            "annotations": self.describe({**inspect.get_annotations(cls)}, f"{place}.__annotations__"),
            "abstract": sorted(getattr(cls, "__abstractmethods__", ())),
        }
        if isinstance(cls, enum.EnumMeta):
            told["members"] = [
                [name, member.name, self.describe(member.value, f"{place}.{name}"), self.reads(member, f"{place}.{name}")]
                for name, member in cls.__members__.items()
            ]
        told["own"] = {
            name: self.describe(value, f"{place}.{name}")
            for name, value in sorted(vars(cls).items())
            if (not is_dunder(name) or name in _LOOKED_AT) and not _is_inner(cls, name, value)
        }
        if dataclasses.is_dataclass(cls):
            told["fields"] = [self._field(one, place) for one in dataclasses.fields(cls)]
        if not isinstance(cls, enum.EnumMeta) and not issubclass(cls, type):
            told["made"] = self.call(cls, (), f"{place}()")
        return told

    def _field(self, one: "dataclasses.Field[Any]", place: str) -> Any:
        values = (one.type, one.default, one.default_factory)
        return [one.name, *(self.describe(value, f"{place}.{one.name}:") for value in values), one.init, one.compare]

    def instance(self, value: Any, place: str) -> Any:
        return {
            "a": self.describe(type(value), f"{place}.__class__"),
            "vars": self.describe({**getattr(value, "__dict__", {})}, f"{place}.__dict__"),
            "repr": self.call(repr, (value,), f"{place}:repr"),
            **self._contents(value),
            "reads": self.reads(value, place) if self.depth < DEEP else "too deep",
        }

    def _contents(self, value: Any) -> dict[str, Any]:
        """Return what an instance holds beside its attributes."""
        for kind in (tuple, list, dict, int, str):
            if isinstance(value, kind):
                return {"as": _plain(repr(kind(value)))}
        return {}

    def reads(self, value: Any, place: str) -> Any:
        """Return what the attributes give that the package's own classes lend to an instance, methods being called."""
        found: dict[str, Any] = {}
        for klass in type(value).__mro__:
            if self.is_ours(klass):
                for name in vars(klass):
                    if (not is_dunder(name) or name == "__call__") and not _is_inner(klass, name, vars(klass)[name]):
                        found.setdefault(name, None)
        return {name: self.read(value, name, place) for name in sorted(found)}

    def read(self, value: Any, name: str, place: str) -> Any:
        kept = inspect.getattr_static(value, name, None)
        if isinstance(kept, functools.cached_property):
            return self.call(kept.func, (value,), f"{place}.{name}")
        try:
            got = getattr(value, name)
        except Exception as error:
            return f"{type(error).__name__}: {_plain(str(error))}"
        if isinstance(got, types.MethodType) or (isinstance(got, types.FunctionType) and id(got) not in self.homes):
            return self.call(got, (), f"{place}.{name}()") if self.depth < DEEP else "not called"
        return self.describe(got, f"{place}.{name}")


def _is_inner(cls: type, name: str, value: object) -> bool:
    return isinstance(cls, enum.EnumMeta) and (name.startswith("_") or isinstance(value, cls) or name in cls.__members__)


def _is_atom(value: object) -> bool:
    return type(value) in _ATOMS


def _text(value: Any, name: str) -> str:
    try:
        return str(getattr(value, name, ""))
    except Exception:
        return ""


def _plain(text: str) -> str:
    return _ADDRESS.sub("0x", text)


def _await(coroutine: Any) -> object:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    return "it waits"


def _code(code: types.CodeType) -> dict[str, Any]:
    """Return what makes a code object what it is. Its file name does not, nor how it calls ``module.f()``.

    That depends on whether an import of the module was compiled together with it (``is_import_originated`` in compile.c).
    """
    counts = ("argcount", "posonlyargcount", "kwonlyargcount", "flags", "firstlineno")
    names = ("qualname", "names", "varnames", "freevars", "cellvars")
    return {
        "counts": str([(key, getattr(code, f"co_{key}")) for key in counts]),
        "names": str([(key, getattr(code, f"co_{key}")) for key in names]),
        "lines": str(sorted({line for _, _, line in code.co_lines() if line is not None})),
        "does": hashlib.blake2b(bytes(op for op in code.co_code[::2] if op not in _CALLING), digest_size=4).hexdigest(),
        "consts": [_const(const) for const in code.co_consts],
    }


def _const(const: object) -> Any:
    if isinstance(const, types.CodeType):
        return _code(const)
    return sorted(map(repr, const)) if isinstance(const, frozenset) else _plain(repr(const))


# -- the fresh process


class Fresh:
    """A process that imports files from scratch, as often as it is asked."""

    def __init__(self) -> None:
        command = [sys.executable, "-B", __file__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._asked: tuple[str, dict[str, bytes], list[str]] | None = None

    def ask(self, package: str, sources: dict[str, bytes], order: list[str] | None = None) -> None:
        """Let the process begin; ``answer`` tells what came of it. Module names are without the package's."""
        if self._asked is not None:
            self.answer()
        self._asked = (package, sources, order or sorted(sources))
        assert self._process.stdin is not None
        _send(self._process.stdin, self._asked)

    def answer(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Return module name → error for what cannot be imported, and the portrait of all other modules."""
        assert self._process.stdout is not None
        self._asked = None
        return _receive(self._process.stdout)

    def stop(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(TIMEOUT)


def _send(pipe: IO[bytes], value: object) -> None:
    data = marshal.dumps(value)
    pipe.write(len(data).to_bytes(8, "little") + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    head = pipe.read(8)
    if len(head) < 8:
        raise EOFError
    return marshal.loads(pipe.read(int.from_bytes(head, "little")))  # noqa: S302 - our own child wrote it


def _import_all(
    top: str, package: str, sources: dict[str, bytes], order: list[str]
) -> tuple[dict[str, str], dict[str, Any]]:
    for name, data in sources.items():
        path = os.path.join(top, package, *name.split(".")) + ".py"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb", buffering=0) as file:
            file.write(data)
    sys.path[:1] = [top]
    failed: dict[str, str] = {}
    for name in order:
        try:
            importlib.import_module(f"{package}.{name}")
        except BaseException as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return failed, Portrait(
        package, {name: sys.modules[f"{package}.{name}"] for name in sources if name not in failed}
    ).draw()


def _serve() -> None:
    """Answer requests, each in a child of its own, until nobody asks any more."""
    top = tempfile.mkdtemp(dir=_MEMORY if os.path.isdir(_MEMORY) else None)
    gc.freeze()
    gc.disable()
    try:
        while True:
            request = _receive(sys.stdin.buffer)
            if os.fork() == 0:
                _answer(os.path.join(top, str(os.getpid())), request)
            _, status = os.wait()
            if status:
                _send(sys.stdout.buffer, ({"": f"the fresh process ended with {status}"}, {}))
    except EOFError:
        shutil.rmtree(top)


def _answer(top: str, request: tuple[str, dict[str, bytes], list[str]]) -> None:
    signal.alarm(TIMEOUT)
    status = 1
    try:
        _send(sys.stdout.buffer, _import_all(top, *request))
        status = 0
    finally:
        shutil.rmtree(top, ignore_errors=True)
        os._exit(status)


if __name__ == "__main__":
    _serve()
