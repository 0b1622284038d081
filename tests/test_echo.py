from ipyhot.watch.echo import PATIENCE, QUIET, Echo


def story(echo: Echo, rounds: int, offset: float) -> None:
    """A module is loaded every ten seconds for a second; its file is written some time after each load began."""
    for index in range(rounds):
        at = index * 0.5
        echo.loaded(["m"], at, at + 0.1)
        echo.hear({"m": at + offset})


def test_a_file_written_by_its_own_load_is_found_endless() -> None:
    echo = Echo()
    story(echo, PATIENCE, 0.05)
    assert (echo.wait(["m"]), echo.endless(["m"])) == (QUIET, frozenset())
    story(echo, PATIENCE + 1, 0.05)
    assert echo.endless(["m"]) == {"m"}


def test_a_file_saved_after_each_load_is_never_waited_for() -> None:
    echo = Echo()
    story(echo, 100, 0.11)
    assert (echo.wait(["m"]), echo.endless(["m"])) == (0.0, frozenset())


def test_one_save_of_a_person_ends_the_suspicion() -> None:
    echo = Echo()
    story(echo, PATIENCE + 2, 0.05)
    echo.hear({"m": 100.0})
    assert echo.endless(["m"]) == frozenset()


def test_another_modules_load_between_two_echoes_changes_nothing() -> None:
    echo = Echo()
    for index in range(PATIENCE + 1):
        at = index * 0.5
        echo.loaded(["m"], at, at + 0.1)
        echo.hear({"other": at + 0.2})
        echo.loaded(["other"], at + 0.2, at + 0.3)
        echo.hear({"m": at + 0.05})
    assert echo.endless(["m", "other"]) == {"m"}
