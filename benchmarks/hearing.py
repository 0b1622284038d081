"""The watcher alone: from a save to its batch, what it costs to start and to wait."""

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ground import PATIENCE, Row, Scale, folder, shell
from inotify import Inotify

from ipyhot.core.sources import Folder
from ipyhot.watch.watcher import Watcher

BLOCK = 20
APART = 0.12  # seconds between two saves
WRITER = Path(__file__).with_name("writer.py")
FUNCTIONS = "".join(
    f"def f{index}(value):\n    total = value * {index}\n    return total + {index}\n\n\n" for index in range(20)
)


def latency(scale: Scale) -> Iterator[Row]:
    """From just before a writer's last system call to the verified batch, beside readers that verify nothing."""
    listeners = {"bare": bare_reader, "ours": ours, "watchfiles": watchfiles_reader}
    for how in ("in-place", "moved-out"):
        with folder() as hots, ExitStack() as stack:
            saves = {}
            for name, listener in listeners.items():
                at = hots / name
                at.mkdir()
                for index in range(50):
                    (at / f"f{index}.py").write_text(FUNCTIONS)
                saves[name] = stack.enter_context(saving(how, at, listener, stack))
            found: dict[str, list[float]] = {name: [] for name in saves}
            for first in range(0, scale(300), BLOCK):
                for name, save in saves.items():
                    found[name] += [save(first + number) for number in range(BLOCK)]
        for share, bar in ((0.5, "<= 3"), (0.99, "<= 6")):
            base, own, wf = (sorted(found[name])[int(len(found[name]) * share) - 1] for name in listeners)
            what = f"{how} save -> batch, {'median' if share == 0.5 else 'p99'} (bare reader)"
            yield Row(what, f"{own:.2f} ms", f"{base:.2f} ms", f"{own / base:.2f}", f"{bar} (watchfiles: {wf:.1f} ms)")


@contextmanager
def saving(how: str, at: Path, listener: Callable[..., None], stack: ExitStack) -> Iterator[Callable[[int], float]]:
    """Yield how a file is saved by another process: it returns the milliseconds until the listener had it."""
    heard, times = threading.Event(), []

    def hear() -> None:
        times.append(time.monotonic_ns())
        heard.set()

    listener(at, hear, stack)
    command = [sys.executable, WRITER, how, at / "f0.py", at.parent.parent / f"{at.name}.old"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None  # noqa: S101 - for the type checker
        assert writer.stdout is not None  # noqa: S101 - likewise

        def save(number: int) -> float:
            time.sleep(APART)
            times.clear()
            heard.clear()
            print(number, file=writer.stdin, flush=True)
            if not heard.wait(PATIENCE):
                raise TimeoutError(at.name)
            return (times[0] - int(writer.stdout.readline())) / 1e6

        yield save
        writer.stdin.close()


def bare_reader(at: Path, hear: Callable[[], None], stack: ExitStack) -> None:
    """Read inotify in one thread that does nothing else."""
    watch = Inotify(str(at))
    threading.Thread(target=lambda: [hear() for _ in watch.saved()], daemon=True).start()
    stack.callback(watch.stop)


def ours(at: Path, hear: Callable[[], None], stack: ExitStack) -> None:
    """Watch with ipyhot's watcher, nothing behind it."""
    watcher = Watcher(lambda batch: hear() if batch.texts else None)
    watcher.add(Folder(os.path.realpath(at), "hots", "all"))
    stack.callback(watcher.stop)


def watchfiles_reader(at: Path, hear: Callable[[], None], stack: ExitStack) -> None:
    """Watch with watchfiles as it comes."""
    import watchfiles

    stop = threading.Event()
    threading.Thread(target=lambda: [hear() for _ in watchfiles.watch(at, stop_event=stop)], daemon=True).start()
    stack.callback(stop.set)


def starts(scale: Scale) -> Iterator[Row]:
    """Watching many files, beside plain imports of them; the watch alone, beside a walk and watchdog's start."""
    folders = scale(1000)
    with folder() as hots:
        tree(hots, folders, 10)
        walk = min(timed(lambda: stat_walk(hots)) for _ in range(3))
        dog = min(timed(lambda: watchdog_start(hots)) for _ in range(3))
        own = min(timed(lambda: our_start(hots)) for _ in range(3))
        what = f"the watch alone, {folders * 10} files (walk + watchdog)"
        yield Row(what, f"{own * 1e3:.0f} ms", f"{(walk + dog) * 1e3:.0f} ms", f"{own / (walk + dog):.2f}", "<= 1.2")
    plain = with_own_process("plain_imports", folders)
    live = with_own_process("live_start", folders)
    what = f"%hotwatch on {folders * 10} files (plain imports)"
    yield Row(what, f"{live:.1f} s", f"{plain:.1f} s", f"{live / plain:.2f}", "<= 1.3")


def with_own_process(what: str, folders: int) -> float:
    """Return the seconds of one of the two ways to load all files, in a process with nothing loaded."""
    code = f"import hearing; print(hearing.{what}({folders}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=WRITER.parent, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def plain_imports(folders: int) -> float:
    """Return the seconds of importing all files."""
    import importlib

    with folder() as hots:
        tree(hots, folders, 10)
        sys.dont_write_bytecode = True
        names = [f"hots.d{outer}.m{outer}_{inner}" for outer in range(folders) for inner in range(10)]
        return timed(lambda: [importlib.import_module(name) for name in names])


def live_start(folders: int) -> float:
    """Return the seconds of watching all files."""
    with folder() as hots:
        tree(hots, folders, 10)
        began = time.perf_counter()
        with shell():
            return time.perf_counter() - began


def idle(scale: Scale) -> Iterator[Row]:
    """The processor time of a watch on which nothing happens."""
    for what, folders, files in (("5,000 folders", 5000, 0), ("10,000 files", 1000, 10)):
        with folder() as hots:
            tree(hots, folders, files)
            watcher = Watcher(lambda _: None)
            watcher.add(Folder(os.path.realpath(hots), "hots", "all"))
            watcher.catch_up(PATIENCE)
            seconds = max(scale(60), 6)
            before, began = processor_time(), time.monotonic()
            time.sleep(seconds)
            share = (processor_time() - before) / (time.monotonic() - began)
            watcher.stop()
        yield Row(f"idle for {seconds} s, {what}", f"{share:.2%}", "", "", "< 0.5 %")


def tree(hots: Path, folders: int, files: int) -> None:
    """Make folders with some files in each."""
    for outer in range(folders):
        (hots / f"d{outer}").mkdir()
        for inner in range(files):
            (hots / f"d{outer}" / f"m{outer}_{inner}.py").write_text(FUNCTIONS)


def processor_time() -> float:
    """Return the seconds that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(do: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def stat_walk(hots: Path) -> list[os.stat_result]:
    """Look at each file once."""
    return [os.stat(os.path.join(top, name)) for top, _, names in os.walk(hots) for name in names]


def watchdog_start(hots: Path) -> None:
    """Start watchdog's observer as it comes, but for its stop."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    observer = Observer()
    observer.schedule(FileSystemEventHandler(), str(hots), recursive=True)
    observer.start()
    threading.Thread(target=observer.stop, daemon=True).start()


def our_start(hots: Path) -> None:
    """Start our watch and stop it."""
    watcher = Watcher(lambda _: None)
    watcher.add(Folder(os.path.realpath(hots), "hots", "all"))
    threading.Thread(target=watcher.stop, daemon=True).start()
