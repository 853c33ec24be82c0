"""Sentences of the core in parts: words, commands, and the ids of what they speak of."""

from collections.abc import Iterator
from typing import NamedTuple

from tickerq_dashboard.show import ids


class Part(NamedTuple):
    """A part of a sentence: code, or an id of a run or a cron ticker, or words."""

    text: str
    is_code: bool = False
    is_id: bool = False


def parts_of(sentence: str) -> Iterator[Part]:
    """Yield the parts of a sentence, whose code stands between backticks.

    An id within a command is a part of the command, unless the code is the id alone.
    """
    for at, text in enumerate(sentence.split("`")):
        is_code = at % 2 == 1
        if is_code:
            yield Part(text, is_code=True, is_id=ids.IN_TEXT.fullmatch(text) is not None)
            continue
        end = 0
        for found in ids.IN_TEXT.finditer(text):
            yield Part(text[end : found.start()])
            yield Part(found[0], is_id=True)
            end = found.end()
        yield Part(text[end:])
