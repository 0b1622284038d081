"""Objects that new statements only add to, as they are: registries, lists, applications with their routes.

Pure: it reads the drafts of a plan and changes none. One plan uses one ``Growth``.
"""

from collections.abc import Callable, Iterable, Iterator

from ipyhot.core.drafts import Draft, Drafts
from ipyhot.core.outline import Outline
from ipyhot.core.reach import Reach

__all__ = ["Growth"]


class Growth:
    """Tells which objects may be added to, instead of being made again with all that was ever added.

    Args:
        drafts: the drafts of the plan.
        names: what their statements write.
        dependents: who imports one of some modules while loading, as far as it matters to what they compute.
        grows: whether a statement may add to the object that a name of a module stands for, as it is.
        is_container: whether that is a plain container.
    """

    def __init__(
        self,
        drafts: Drafts,
        names: Reach,
        *,
        dependents: Callable[[str, bool], Iterable[str]],
        grows: Callable[[str, str], bool],
        is_container: Callable[[str, str], bool],
    ) -> None:
        self._drafts = drafts
        self._names = names
        self._dependents = dependents
        self._grows = grows
        self._is_container = is_container

    def is_last_of(self, draft: Draft, index: int, ref: tuple[str, str]) -> bool:
        """Tell whether a new statement only adds to an object, behind all others of the file that do."""
        edit, outline = draft.edit, draft.outline
        if edit is None or outline is None or index not in edit.changed:
            return False
        if ref in {(draft.name, bound) for bound in outline.statements[index].facts.binds}:
            return False
        if not self._grows(*ref) or ref in self._drafts.replayed:
            return False
        is_foreign = ref[0] != draft.name
        if is_foreign and (self._is_container(*ref) or self._is_changing(*ref)):
            return False  # a container keeps its identity when it is filled anew, in the order of a first load
        others = [
            i for i in range(len(outline.statements)) if i != index and ref in self._names.writes(draft.name, outline, i)
        ]
        if not (others or is_foreign) or not all(other < index for other in others if other not in edit.changed):
            return False
        if any(other in edit.changed and ref[1] in outline.statements[other].facts.binds for other in others):
            return False
        return not self._is_written_elsewhere(ref, draft.name)

    def _is_changing(self, module: str, name: str) -> bool:
        """Tell whether the statement that makes an object may be another one, or run again."""
        draft = self._drafts.get(module)
        return draft is not None and (draft.edit is not None or bool(draft.whole) or draft.rebinds(name))

    def begun_by(self, draft: Draft, outline: Outline) -> Iterator[tuple[str, str]]:
        """Yield the objects of other modules that a new file adds to."""
        for module, name in self._names.all_writes(draft.name, outline):
            if module != draft.name and self._drafts.outline(module) is not None and self._grows(module, name):
                yield module, name

    def _is_written_elsewhere(self, ref: tuple[str, str], writer: str) -> bool:
        """Tell whether a third module makes or changes the object of a name."""
        seen = {ref[0], writer}
        stack = [ref[0]]
        while stack:
            for name in self._dependents(stack.pop(), True):  # noqa: FBT003 - a callable has no keywords
                outline = None if name in seen else self._drafts.outline(name)
                seen.add(name)
                if outline is not None:
                    stack.append(name)
                    if ref in self._names.all_writes(name, outline):
                        return True
        return False
