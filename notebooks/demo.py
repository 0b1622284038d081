"""What `make demo` shows: a real kernel, a watched folder, good and broken saves, and what hot.handlers held after each."""

import os
import tempfile
import textwrap
import time
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

SAVES = [
    ("hot.py", "hot = 111\nexports = hot\n", "the value changes"),
    (
        "pricing.py",
        "RATE = 3\n\ndef quote(n):\n    return n * RATE\n",
        "a function changes, and so does the cell's name for it",
    ),
    (
        "pricing.py",
        "RATE = 3\n\ndef quote(n:\n    return n * RATE\n",
        "a typo: the last good version stays",
    ),
    ("pricing.py", "RATE = 4\n\ndef quote(n):\n    return n * RATE\n", "the typo is mended: it heals by itself"),
    ("invoice.py", "from hots.pricing import quote\n\nTOTAL = quote(10)\n", "a new file that imports another"),
    ("pricing.py", "RATE = 5\n\ndef quote(n):\n    return n * RATE\n", "both become new in one step"),
    ("pricing.py", "raise RuntimeError('no database')\n", "a file that raises while it loads"),
]


def main() -> None:
    """Run the story and print it."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top, "hots")
        folder.mkdir()
        save(folder / "hot.py", "hot = 1\nexports = hot\n")
        save(folder / "pricing.py", "RATE = 2\n\ndef quote(n):\n    return n * RATE\n")
        began = time.monotonic()
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        manager, client = start_new_kernel(cwd=top, env=environment)
        print(f"a kernel is running (pid {manager.provisioner.pid}, {time.monotonic() - began:.1f} s)\n")
        try:
            tell(client, folder)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def tell(client: BlockingKernelClient, folder: Path) -> None:
    """Show the folder before and after each save, all in one kernel that is never restarted."""
    run(client, "%load_ext ipyhot", shown=True)
    run(client, "%hotwatch ./hots --quiet", shown=True)
    run(client, "from hots.pricing import quote", shown=True)
    run(client, "hot.handlers", shown=True)
    for name, text, why in SAVES:
        print(f"\n--- save hots/{name}: {why}")
        print(textwrap.indent(text, "    | ", predicate=lambda _: True), end="")
        number = run(client, "print(hot.history[-1].number)")
        save(folder / name, text)
        run(client, f"hot.wait(lambda: hot.history[-1].number > {number})")
        print(f"    {run(client, 'print(hot.history[-1])').replace(str(folder), 'hots')}")
        print(f"    hot.handlers = {run(client, 'print(hot.handlers)')}   quote(7) = {run(client, 'print(quote(7))')}")
        errors = run(client, "print(hot.errors)")
        if errors != "no errors":
            print(textwrap.indent(errors.replace(str(folder), "hots"), "    ✗ ", predicate=lambda line: bool(line.strip())))
    print("\nThe kernel was never restarted. Try it yourself: make lab")


def run(client: BlockingKernelClient, code: str, *, shown: bool = False) -> str:
    """Run a cell and return what it printed or gave."""
    found: list[str] = []

    def keep(message: dict) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            found.append(content["text"])
        elif message["msg_type"] == "execute_result":
            found.append(content["data"]["text/plain"])
        elif message["msg_type"] == "error":
            raise RuntimeError("\n".join(content["traceback"]))

    client.execute_interactive(code, output_hook=keep, timeout=30)
    text = "".join(found).strip()
    if shown:
        print(f"In:  {code}" + (f"\nOut: {text}" if text else ""))
    return text


def save(path: Path, text: str) -> None:
    """Save as most editors do: write beside, then rename."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


if __name__ == "__main__":
    main()
