from functools import partial

import pytest

from ipyhot.core.commit import Deed, commit, delete_item, set_attribute, set_item


def deeds(space: dict, holder: object) -> list[Deed]:
    return [
        set_item(space, "a", 2),
        set_item(space, "new", 3),
        delete_item(space, "gone"),
        delete_item(space, "never"),
        set_attribute(holder, "x", 20),
    ]


class Holder:
    x = 1

    def __init__(self) -> None:
        self.x = 10


def test_all_deeds_are_done_in_order() -> None:
    space, holder = {"a": 1, "gone": 1}, Holder()
    commit(deeds(space, holder))
    assert (space, holder.x) == ({"a": 2, "new": 3}, 20)


@pytest.mark.parametrize("at", range(6))
def test_a_deed_that_fails_at_any_place_undoes_those_before_it(at: int) -> None:
    space, holder = {"a": 1, "gone": 1}, Holder()
    steps = deeds(space, holder)
    steps.insert(at, Deed(partial(int, "no number"), partial(int, "never undone either")))
    with pytest.raises(ValueError, match="no number"):
        commit(steps)
    assert (space, holder.x) == ({"a": 1, "gone": 1}, 10)


def test_undoing_goes_backwards() -> None:
    space = {"a": 1}
    with pytest.raises(ZeroDivisionError):
        commit([set_item(space, "a", 2), set_item(space, "a", 3), Deed(partial(divmod, 1, 0), int)])
    assert space == {"a": 1}
