"""Runs a plan aside: in namespaces that only the building thread can see.

A file that is executed as a whole starts in an empty one. Where only some statements run, the namespace holds all that
the live one does, but for what these statements bind.

The live world is not touched. Live modules of the plan wear their stand-in meanwhile: the building thread meets the
staged module in them (which is staged on first touch, so order falls out of the imports and cycles behave as in
Python), everybody else the live one as ever. One thread uses one Stage, once.
"""

import sys
import threading
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from ipyhot.core import placeholder
from ipyhot.core.containers import fill_deeds
from ipyhot.core.errors import Cancelled
from ipyhot.core.excerpt import Excerpt
from ipyhot.core.handover import hand_over
from ipyhot.core.heap import is_a
from ipyhot.core.imports import ImportSwitch, Loader, Standin, WatchedSpec, new_module, recording, take_off, touch
from ipyhot.core.model import Plan, Step, Way
from ipyhot.core.once import Collected, collecting
from ipyhot.core.outline import Outline, prepared, rooted
from ipyhot.core.sources import Folder
from ipyhot.core.staged import Staged, State

__all__ = ["Stage"]


class Stage:
    """A plan being run aside. Use as a context manager: outside of the block nothing is diverted any more."""

    def __init__(
        self,
        plan: Plan,
        *,
        outlines: Mapping[str, Outline | None],
        loaders: Mapping[str, Loader],
        folder_of: Callable[[str], Folder | None],
        standins: Mapping[str, Standin],
        switch: ImportSwitch,
        on_load: Callable[[str | None], None],
    ) -> None:
        self.results: dict[str, Staged] = {}
        self.fallen: list[str] = []  # in the order they failed: the first of those with one error is to blame
        self.entered: list[str] = []
        self.is_cancelled = False
        self.is_still = False  # nobody meets what is staged, so nothing is diverted
        self._outlines = outlines
        self._loaders = loaders
        self._folder_of = folder_of
        self._standins = standins
        self._on_load = on_load
        self.over = threading.Event()
        self._switch = switch
        self._lost: BaseException | None = None
        self._under_way: list[str] = []
        self.builder = threading.get_ident()
        self._worn: dict[str, types.ModuleType] = {}
        self._placed: dict[str, types.ModuleType] = {}
        self._covered: dict[str, Any] = {}
        self._diverted: set[str] = set()
        for step in plan.steps.values():
            self._add(step)

    def compile(self) -> dict[str, BaseException]:
        """Compile every source of the plan; return what is wrong with those that do not compile."""
        for name in self.results:
            self._compile(name)
        return {name: staged.error for name, staged in self.results.items() if staged.error is not None}

    def __enter__(self) -> Self:
        self.is_still = self._runs_nothing()
        if self.is_still:
            self._stand()
            return self
        for name in list(self.results):
            self._divert(name)
        self._switch.turn_on(self._import)
        return self

    def __exit__(self, *_: object) -> None:
        """Let this thread see what all see. Live modules stay dressed: ``leave`` undresses them after the commit."""
        self._switch.turn_off()
        for name in self._diverted:
            self._standins[name].restore()

    def run(self) -> None:
        """Load each module of the plan once; what goes wrong stays in its result."""
        for name in list(self.results):
            if not self.is_cancelled:
                try:
                    self.touch(name)
                except BaseException as error:  # noqa: BLE001 - a file may raise anything; the result holds it
                    self.is_cancelled |= isinstance(error, Cancelled)
        for staged in self.results.values():
            if staged.state is not State.DONE:
                staged.fail(Cancelled("the reload was cancelled before this file was loaded"))

    def adopt_replacements(self, returning: Mapping[str, types.ModuleType | None]) -> None:
        """In what was staged, put what stays in place of the placeholders that imports bound meanwhile.

        Args:
            returning: the modules whose file was gone for a while and that take their place again, by name.
        """
        new: dict[int, object] = {}
        for name in {*self._placed, *self._covered} & self.results.keys():
            value = self.results[name].value
            new[id(self._worn[name])] = new[id(value)] = returning.get(name) or value
        for staged in self.results.values():
            namespace = {} if staged.module is None else vars(staged.module)
            for key, value in list(namespace.items()):
                if id(value) in new and is_a(value, types.ModuleType):
                    namespace[key] = new[id(value)]

    def leave(self, retired: Collection[str]) -> None:
        """End the transaction: undress what is still live, and let those who waited go on."""
        for staged in self.results.values():
            for container, before in staged.spared:
                for deed in fill_deeds(container, before):
                    deed.do()
        for name, module in self._worn.items():
            if name not in retired and name not in self._placed:
                take_off(module)
        for name, module in self._placed.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
            placeholder.leave(module)
        for name, target in self._covered.items():
            if sys.modules.get(name) is self._worn[name]:
                sys.modules[name] = target
        for staged in self.results.values():
            staged.let_go()
        self.over.set()

    def reject(self, name: str, error: BaseException) -> None:
        """Let a module fail that was loaded, because of what it said to the change."""
        self.results[name].fail(error)
        self.fallen.append(name)

    def touch(self, name: str) -> Any:
        """Return the staged module of a name, or what it put in its own place, loading it first if nobody did yet.

        Raises:
            BaseException: whatever its load raised, now or before.
        """
        staged = self.results[name]
        if staged.state is State.WAITING:
            self._load(staged)
        if staged.error is not None:
            raise staged.error.with_traceback(staged.traceback)
        if staged.module is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return staged.value if staged.state is State.DONE else staged.module

    def admit(self, name: str) -> types.ModuleType | None:
        """Take a module that is not live into the transaction, because what is being staged imports it."""
        folder = self._folder_of(name)
        source = folder.read(name) if folder is not None else None
        if source is None or source.path is None:
            return None
        if name not in self.results:
            self._add(Step(name, Way.LOAD, source, "it is imported"))
            self._compile(name)
            self._divert(name)
        return self._worn.get(name)

    def _compile(self, name: str) -> None:
        staged = self.results[name]
        source = staged.step.source
        if staged.module is None or source is None or source.path is None:
            return
        loader = _loader(staged.module)
        try:
            if staged.outline is not None and staged.step.run is not None:
                staged.outline = prepared(staged.outline, {*staged.step.run, *staged.step.aside}, loader.alias, loader.pin)
            else:
                staged.code = loader.compile()
                staged.outline = rooted(staged.outline, staged.code, loader.pin) if staged.outline is not None else None
        except Exception as error:  # noqa: BLE001 - whatever the compiler says of the text becomes the failure
            staged.fail(error)
            self.fallen.append(name)

    def culprit(self, name: str) -> str:
        """Return the module whose error is a module's, too: the first that fell with it."""
        error = self.results[name].error
        return next((other for other in self.fallen if error is not None and self.results[other].error is error), name)

    @property
    def worn(self) -> Mapping[str, types.ModuleType]:
        """The module objects that stand for each name: live ones, and placeholders where there was none."""
        return self._worn

    @property
    def placed(self) -> Mapping[str, types.ModuleType]:
        """Those of ``worn`` that are placeholders."""
        return self._placed

    @property
    def covered(self) -> Mapping[str, object]:
        """What files had put into ``sys.modules``, where a module stands in for it during the transaction."""
        return self._covered

    def _add(self, step: Step) -> None:
        folder = self._folder_of(step.name)
        module = None
        if step.source is not None and folder is not None:
            module = new_module(step.source, folder, self._loaders.get(step.name))
        self.results[step.name] = Staged(step, module, self._outlines.get(step.name))

    def _load(self, staged: Staged) -> None:
        parent = staged.step.name.rpartition(".")[0]
        is_gone = staged.step.way is Way.DROP  # and its package may be as well
        if not is_gone and parent in self.results and self.results[parent].state is State.WAITING:
            self._load_parent(staged, parent)
        if staged.state is not State.WAITING:
            return  # the package's own __init__ imported it
        staged.state = State.RUNNING
        self.entered.append(staged.step.name)
        self._under_way.append(staged.step.name)
        self._on_load(staged.step.name)
        try:
            with recording() as staged.dependencies:
                if staged.module is not None:
                    is_whole = staged.code is not None
                    with _initializing(staged.module), collecting(staged.step.name, is_whole=is_whole) as staged.collected:
                        self._execute(staged, vars(staged.module))
        except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt of a file must not pass
            staged.fail(error)
            self.fallen.append(staged.step.name)
        else:
            staged.state = State.DONE
        finally:
            self._under_way.pop()
            self._on_load(self._under_way[-1] if self._under_way else None)
            staged.dependencies.discard(staged.step.name)
            staged.value = self._take_replacement(staged)
        if staged.error is None and parent in self.results:
            package = self.results[parent].module
            if package is not None:
                name = staged.step.name
                vars(package)[name.rpartition(".")[2]] = self._worn[name] if self._is_staying(name) else staged.value

    def _is_staying(self, name: str) -> bool:
        """Tell whether a module goes on being the object that it is live."""
        staged = self.results[name]
        is_itself = staged.value is staged.module or staged.state is not State.DONE
        return is_itself and name in self._worn and name not in self._placed and name not in self._covered

    def _execute(self, staged: Staged, namespace: dict[str, Any]) -> None:
        """Run a file, or those of its statements that the plan names."""
        if staged.code is not None:
            exec(staged.code, namespace)  # noqa: S102 - executing the user's file is the purpose
            self._hand_over(staged, namespace)
        elif staged.step.run is not None and staged.outline is not None:
            name, module = staged.step.name, self._worn.get(staged.step.name)
            live = {} if module is None else dict(object.__getattribute__(module, "__dict__"))
            for child in [child for child, other in self.results.items() if other.step.way is Way.DROP]:
                parent, _, attribute = child.rpartition(".")
                if parent == name:
                    live.pop(attribute, None)
            Excerpt(staged, staged.outline, namespace, self._load_first).run(live)

    def _load_first(self, names: Iterable[str]) -> None:
        """Load what is not yet; what goes wrong stays in its result."""
        for name in names:
            if name in self.results and self.results[name].state is State.WAITING:
                self._load(self.results[name])

    def _hand_over(self, staged: Staged, namespace: dict[str, Any]) -> None:
        live = self._worn.get(staged.step.name)
        if live is not None and staged.step.name not in self._placed:
            hand_over(object.__getattribute__(live, "__dict__"), namespace)

    def _load_parent(self, staged: Staged, parent: str) -> None:
        """Load the package before what is in it; a package that fails takes its modules along."""
        try:
            self.touch(parent)
        except BaseException as error:  # noqa: BLE001 - as in _load
            if staged.state is State.WAITING:
                staged.dependencies.add(parent)
                staged.fail(error)

    def _take_replacement(self, staged: Staged) -> object:
        """Return what the file put into ``sys.modules`` in place of its module, and put back what stood there."""
        name = staged.step.name
        placed = self._worn.get(name)
        found = sys.modules.get(name)
        if found is placed or found is None:
            return staged.module
        if placed is not None:
            sys.modules[name] = placed
        return found

    def _runs_nothing(self) -> bool:
        return all(
            staged.step.is_still and isinstance(sys.modules.get(name), types.ModuleType)
            for name, staged in self.results.items()
        )

    def _stand(self) -> None:
        """Let the live modules be what they are."""
        for name, staged in self.results.items():
            self._worn[name] = sys.modules[name]
            staged.state, staged.value = State.DONE, staged.module
            staged.collected = Collected(name, is_whole=False)

    def _divert(self, name: str) -> None:
        """Let this thread meet the staged world in a module and in the package that holds it."""
        parent = name.rpartition(".")[0]
        if parent and parent not in self.results and parent not in self._worn:
            try:
                __import__(parent)  # a folder without __init__.py, or a package that nothing has imported yet
            except BaseException as error:  # noqa: BLE001 - a package may raise anything; then its modules cannot be
                if self.results[name].step.way is not Way.DROP:
                    self.results[name].fail(error)
                    return
            else:
                self._dress(parent, sys.modules[parent])
        found = sys.modules.get(name)
        if found is None and self.results[name].module is None:
            return
        if found is None:
            found = placeholder.place(name, self)
            if type(found) is placeholder.Placeholder:
                self._placed[name] = self._worn[name] = found
                return
        self._dress(name, found)

    def _dress(self, name: str, found: object) -> None:
        standin = self._standins[name]
        if not isinstance(found, types.ModuleType):
            # A file may put any object into sys.modules; that one cannot be dressed, a module in its place can.
            self._covered[name], found = found, types.ModuleType(name)
            standin.answer_from(self._covered[name])
            sys.modules[name] = found
        else:
            standin.answer_from(found)
        standin.divert(self._reading(name, found), self._writing(name), self._deleting(name))
        self._diverted.add(name)
        standin.put_on(found)
        self._worn[name] = found

    def _reading(self, name: str, live: types.ModuleType) -> Callable[[str], Any]:
        everybody = self._standins[name].everybody("read")

        def read(attribute: str) -> Any:
            if name in self.results:
                return self.read(name, attribute)
            child = f"{name}.{attribute}"
            if child in self.results and _is_child(self, name, attribute, live):
                return self._read_child(child)
            return everybody(attribute)

        return read

    def read(self, name: str, attribute: str) -> Any:
        """Return an attribute of a module of the plan as it is staged, loading what has to be for that."""
        if attribute == "__spec__":
            return self._spec_for_import(name)
        child = f"{name}.{attribute}"
        if child in self.results and _is_child(self, name, attribute, self._worn[name]):
            return self._read_child(child)
        return getattr(self.touch(name), attribute)

    def _read_child(self, child: str) -> Any:
        touch(child)
        if self.results[child].step.way is Way.DROP:
            package, _, attribute = child.rpartition(".")
            raise AttributeError(f"module {package!r} has no attribute {attribute!r}")
        found = self.touch(child)
        return self._worn[child] if self._is_staying(child) else found

    def _spec_for_import(self, name: str) -> object:
        """Answer the import system, which asks for the spec of what it finds in ``sys.modules``."""
        touch(name)
        try:
            self.touch(name)
        except BaseException as error:
            self._lost = error  # CPython clears what is raised here: ``_import`` raises it again
            raise
        module = self.results[name].module
        return None if module is None else module.__spec__

    def _import(self, *arguments: Any, **named: Any) -> object:
        """Import as ever; raise what CPython lost of it. Stands for ``__import__`` in the building thread."""
        self._lost = None
        module = self._switch.original(*arguments, **named)
        error, self._lost = self._lost, None
        if error is not None:
            raise error
        return module

    def _writing(self, name: str) -> Callable[[str, Any], None]:
        everybody = self._standins[name].everybody("write")

        def write(attribute: str, value: Any) -> None:
            if name in self.results:
                setattr(self.touch(name), attribute, value)
            elif f"{name}.{attribute}" not in self.results:
                everybody(attribute, value)

        return write

    def _deleting(self, name: str) -> Callable[[str], None]:
        everybody = self._standins[name].everybody("delete")

        def delete(attribute: str) -> None:
            delattr(self.touch(name), attribute) if name in self.results else everybody(attribute)

        return delete


@contextmanager
def _initializing(module: types.ModuleType) -> Iterator[None]:
    """Mark a module as half loaded, so that Python's own message about a cycle says so."""
    spec = module.__spec__
    assert isinstance(spec, WatchedSpec)  # noqa: S101 - new_module made it
    spec._initializing = True  # noqa: SLF001 - see WatchedSpec
    try:
        yield
    finally:
        spec._initializing = False  # noqa: SLF001 - as above


def _is_child(stage: Stage, name: str, attribute: str, live: types.ModuleType) -> bool:
    """Tell whether a package's attribute is its submodule, and not something else of that name."""
    staged = stage.results.get(name)
    if staged is not None and staged.module is not None:
        return attribute not in vars(staged.module)
    value = object.__getattribute__(live, "__dict__").get(attribute)
    return value is None or is_a(value, types.ModuleType) or value is stage.covered.get(f"{name}.{attribute}")


def _loader(module: types.ModuleType) -> Loader:
    spec = module.__spec__
    assert isinstance(spec, WatchedSpec)  # noqa: S101 - new_module made it
    assert isinstance(spec.loader, Loader)  # noqa: S101 - as above
    return spec.loader
