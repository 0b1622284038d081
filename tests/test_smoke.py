from conftest import World


def test_a_saved_value_is_the_handlers_value(world: World) -> None:
    world.watch({"hot.py": "hot = 1\nexports = hot\n"})
    assert world.value("dict(hot.handlers)") == {"hot": 1}
    world.save({"hot.py": "hot = 111\nexports = hot\n"})
    assert world.value("dict(hot.handlers)") == {"hot": 111}
    world.settle()
    assert world.handlers == ["hot"]
