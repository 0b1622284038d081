"""What another thread meets that imports a file while this one loads it: it waits, and what it gets stays fresh."""

from conftest import Files

IMPORTING = """
import sys, threading
took, began = [], threading.Event()
def take():
    began.set()
    try:
        import PKG.b as b
        took.append((b, b.VALUE))
    except BaseException as error:
        took.append(error)
sys.modules["PKG.b"]  # it stands there, or the thread would load it by itself
thread = threading.Thread(target=take)
thread.start()
began.wait()
"""


def took(files: Files) -> object:
    files["a"].thread.join(10)
    assert not files["a"].thread.is_alive()
    return files["a"].took[0]


def test_an_import_beside_the_first_load_waits_for_it_and_is_of_it(files: Files) -> None:
    files.start(a=IMPORTING, b="VALUE = []\n")
    module, value = took(files)
    assert value is files["b"].VALUE
    assert module.VALUE is files["b"].VALUE
    assert repr(module) == repr(files["b"])


def test_what_an_import_beside_the_first_load_got_follows_each_save(files: Files) -> None:
    files.start(a=IMPORTING, b="VALUE = 1\n")
    module, _ = took(files)
    files.save(b="VALUE = 2\n")
    assert module.VALUE == 2
    module.VALUE = 3
    assert files["b"].VALUE == 3
    del module.VALUE
    assert not hasattr(files["b"], "VALUE")
    assert not hasattr(module, "VALUE")


def test_an_import_beside_a_first_load_that_fails_ends_with_an_error_and_the_next_gets_what_heals_it(files: Files) -> None:
    files.start(a=IMPORTING, b="VALUE = 1\nraise OSError('no disk')\n")
    assert isinstance(took(files), ImportError | OSError)
    assert files.failures == {"b"}
    files.save(b="VALUE = 2\n")
    files["a"].take()
    assert files["a"].took[1] == (files["b"], 2)
