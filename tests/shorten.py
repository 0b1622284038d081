"""Makes the story of a failure as short as it gets: fewer saves, files, statements, members, while it fails in the same way.

Works on texts, so it needs no knowledge of how they were made. It does in seconds what shrinking the numbers that
Hypothesis drew does in minutes.
"""

import re
import time
from collections.abc import Callable, Iterator

Texts = dict[str, str | None]
Story = list[Texts]

_BRACKETS = re.compile(r"[\[({<].*?[\])}>]")
_NUMBERS = re.compile(r"[0-9]+")
_NAMES = re.compile(r"[^ ]*[0-9][^ ]*|\b[a-e]\b")


def kind_of(error: BaseException) -> str:
    """Return the way in which a walk failed: its first words and the first place of a difference, without names and numbers."""
    first, *rest = [*str(error).splitlines(), ""]
    place = _BRACKETS.sub("", rest[0].partition(":")[0]) if rest else ""
    return f"{type(error).__name__}: {_NAMES.sub('_', first)[:120]} {_NUMBERS.sub('', place).partition('.')[2]}".strip()


def shortened(story: Story, failure_of: Callable[[Story], BaseException | None], seconds: float = 60.0) -> Story:
    """Return the shortest story found in some time that fails as this one does.

    Args:
        story: what was saved, save by save.
        failure_of: walks through a story and returns what it raised.
        seconds: when to be content with what there is.
    """
    end = time.monotonic() + seconds
    first = failure_of(story)
    if first is None:
        return story
    kind, is_shorter = kind_of(first), True
    while is_shorter:
        is_shorter = False
        for change in (_with_fewer_saves, _with_fewer_files, _with_fewer_blocks, _with_fewer_lines, _with_plainer_words):
            position = 0
            while time.monotonic() < end:
                shorter = next(_from(change(story), position), None)
                if shorter is None:
                    break
                error = failure_of(shorter) if shorter[0] else None
                if error is not None and kind_of(error) == kind:
                    story, is_shorter = shorter, True
                else:
                    position += 1
    return story


def _from(stories: Iterator[Story], position: int) -> Iterator[Story]:
    return (story for at, story in enumerate(stories) if at == position)


def _with_fewer_saves(story: Story) -> Iterator[Story]:
    for at in reversed(range(1, len(story))):
        yield story[:at] + story[at + 1 :]
    for at in range(len(story) - 1):
        merged = {**story[at], **story[at + 1]}
        yield [*story[:at], {name: text for name, text in merged.items() if at or text is not None}, *story[at + 2 :]]


def _with_fewer_files(story: Story) -> Iterator[Story]:
    for name in sorted({name for texts in story for name in texts}):
        yield _tidy([{other: text for other, text in texts.items() if other != name} for texts in story])
    for at, texts in enumerate(story):
        if len(texts) > 1:
            for name in texts:
                yield [*story[:at], {other: text for other, text in texts.items() if other != name}, *story[at + 1 :]]


def _tidy(story: Story) -> Story:
    return [texts for at, texts in enumerate(story) if texts or not at]


def _with_fewer_blocks(story: Story) -> Iterator[Story]:
    """Leave a statement out of all versions of its file, or of one of them."""
    for name, block in _blocks(story, _statements):
        yield _without(story, name, block, _statements)
    for at in range(len(story)):
        for name, text in story[at].items():
            for block in _statements(text or ""):
                yield [*story[:at], {**story[at], name: _joined(_statements(text or ""), block)}, *story[at + 1 :]]


def _with_fewer_lines(story: Story) -> Iterator[Story]:
    """Leave a member of a class or a line of a function out of all versions of its file."""
    for name, block in _blocks(story, _members):
        if block.startswith("    "):
            yield _without(story, name, block, _members)
    for name, line in _blocks(story, _lines):
        yield _without(story, name, line, _lines)


def _with_plainer_words(story: Story) -> Iterator[Story]:
    """Write the returned tuples shorter, and numbers as 0."""
    for name in sorted({name for texts in story for name in texts}):
        for pattern, plainer in (
            (r", [^,()]*(?=[,)])", ""),
            (r"\b[2-9]\b", "1"),
            (r": (?:int|'int')(?= =)", ""),
            (r" -> tuple", ""),
        ):
            found = {match.group() for texts in story for match in re.finditer(pattern, texts.get(name) or "")}
            for word in sorted(found):
                yield [_replaced(texts, name, word, plainer) for texts in story]


def _replaced(texts: Texts, name: str, word: str, plainer: str) -> Texts:
    text = texts.get(name)
    return texts if text is None else {**texts, name: text.replace(word, plainer)}


def _blocks(story: Story, split: Callable[[str], list[str]]) -> Iterator[tuple[str, str]]:
    yield from dict.fromkeys((name, block) for texts in story for name, text in texts.items() for block in split(text or ""))


def _without(story: Story, name: str, block: str, split: Callable[[str], list[str]]) -> Story:
    return [
        {other: _joined(split(text), block) if other == name and text is not None else text for other, text in texts.items()}
        for texts in story
    ]


def _joined(blocks: list[str], left_out: str) -> str:
    return "".join(block for block in blocks if block != left_out)


def _split(text: str, begins: Callable[[str, str], bool]) -> list[str]:
    blocks: list[str] = []
    before = ""
    for line in text.splitlines(keepends=True):
        if blocks and not begins(line, before):
            blocks[-1] += line
        else:
            blocks.append(line)
        before = line
    return blocks


def _statements(text: str) -> list[str]:
    return _split(
        text, lambda line, before: line[0] not in " \n" and not line.startswith(("else", "except")) and before[0] != "@"
    )


def _members(text: str) -> list[str]:
    def begins(line: str, before: str) -> bool:
        depth = len(line) - len(line.lstrip(" "))
        return depth <= 4 and line != "\n" and before.lstrip(" ")[:1] != "@"

    return _split(text, begins)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
