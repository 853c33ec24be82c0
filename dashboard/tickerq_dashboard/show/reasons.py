"""Sentences of the core in parts: words, commands, the ids of what they speak of, and moments."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from tickerq_celery import RunCondition
from tickerq_dashboard.show import ids, moments
from tickerq_dashboard.show.words import condition_words

# As the core stores why a child was skipped, in TickerQ's words.
_UNMET = re.compile(r"Rule RunCondition did not match! It is (\w+), and the parent is (\w+)")
_CONDITIONS = {each.name.title().replace("_", ""): each for each in RunCondition}
_ENDED = {
    "Done": "succeeded",
    "DueDone": "succeeded",
    "Failed": "failed",
    "Cancelled": "was cancelled",
    "InProgress": "has started",
}


# How the core says how far off a moment is, which stands beside that: a page counts it on from there.
_SPAN = r"(?:less than 1 s|\d+ (?:d|h|min|s)(?: \d+ (?:h|min|s))?)"
_FOUND = re.compile(
    rf"(?P<id>{ids.IN_TEXT.pattern})"
    rf"|(?P<to_come>{moments.IN_TEXT}), in {_SPAN}"
    rf"|for {_SPAN}, since (?P<since>{moments.IN_TEXT})"
    rf"|{_SPAN} ago(?P<joint>, at | and since, from )(?P<past>{moments.IN_TEXT})"
    rf"|(?P<moment>{moments.IN_TEXT})"
)


class Part(NamedTuple):
    """A part of a sentence: code, or an id of a run or a cron ticker, or a moment, or words.

    Of a moment that is ``at``, ``ages`` says how far off it is shown: by "ago", with how long ago it was or
    in how long it comes; by "for", with how long it has been so; empty where it is shown itself.
    """

    text: str
    is_code: bool = False
    is_id: bool = False
    at: datetime | None = None
    ages: str = ""


def reason_words(reason: str) -> str:
    """Return why a run was skipped as a person says it: "Its parent failed; it runs on success"."""
    found = _UNMET.fullmatch(reason)
    if found is None:
        return reason
    condition, parent = found.groups()
    if parent == "Skipped":
        return "Its parent was skipped, so it was skipped as well"
    if condition not in _CONDITIONS or parent not in _ENDED:
        return reason
    return f"Its parent {_ENDED[parent]}; it {condition_words(_CONDITIONS[condition])}"


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
        for found in _FOUND.finditer(text):
            yield Part(text[end : found.start()])
            yield from _parts_in(found)
            end = found.end()
        yield Part(text[end:])


def names_moment(sentence: str, when: datetime) -> bool:
    """Return True if a sentence of the core says a moment, which it does to the second."""
    return any(part.at == when.replace(microsecond=0) for part in parts_of(sentence))


def _parts_in(found: re.Match[str]) -> Iterator[Part]:
    if found["id"]:
        yield Part(found["id"], is_id=True)
        return
    text = found["to_come"] or found["since"] or found["past"] or found["moment"]
    moment, ago = Part(text, at=moments.read(text)), Part(text, at=moments.read(text), ages="ago")
    if found["to_come"]:
        yield from (moment, Part(", "), ago)
    elif found["since"]:
        yield from (Part("for "), ago._replace(ages="for"), Part(", since "), moment)
    elif found["past"]:
        yield from (ago, Part(found["joint"]), moment)
    else:
        yield moment
