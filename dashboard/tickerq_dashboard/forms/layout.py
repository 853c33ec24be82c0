"""Which fields each form has, section by section, in the order of its page."""

from functools import cache
from itertools import groupby
from string import Formatter
from typing import NamedTuple

from tickerq_dashboard.commands.work import PAYLOAD
from tickerq_dashboard.ticker_fields import FIELDS, FUNCTION, MOMENT, Section, names_in

Names = tuple[str, ...]


class Group(NamedTuple):
    """Fields one after the other that only tickers ``of`` functions or of tasks have, or all."""

    of: str
    names: Names


class Words(NamedTuple):
    """A piece of a sentence, and the field that stands after it."""

    text: str
    name: str | None


class Sentence(NamedTuple):
    """A setting as a sentence, cut behind each of the fields that stand in it."""

    parts: tuple[Words, ...]
    names: Names
    of: str


def _sentence(text: str, of: str = "") -> Sentence:
    parts = tuple(Words(words, name) for words, name, *_ in Formatter().parse(text))
    return Sentence(parts, tuple(name for _, name in parts if name is not None), of)


@cache
def groups_of(names: Names) -> tuple[Group, ...]:
    """Return fields with those together that the same tickers have."""
    return tuple(Group(of, tuple(each)) for of, each in groupby(names, lambda name: FIELDS[name].of))


CALL = names_in(Section.CALL)
HOW = names_in(Section.HOW)
CHILD = names_in(Section.CHILD)
GIVEN = names_in(Section.GIVEN)
BOUNDS = names_in(Section.BOUNDS)
# What every ticker has, children included, and what of its call is no payload.
WORK = (*CALL, *HOW)
TERMS = tuple(name for name in CALL if name not in PAYLOAD)
# Occurrences have copies of their chain, of which none can have a moment or a key of its own.
OF_ONE_CHAIN = ("at", "unique_key")
POLICIES = (
    _sentence("If the run before is still going, {overlap}."),
    _sentence("After an outage, {misfire}, {misfire_limit} at most, if at most {misfire_grace} late."),
    _sentence("If a run fails, try {retries} more times, after {retry_intervals}.", FUNCTION),
    _sentence("After {pause_on_failure} failed runs in a row, pause it."),
    _sentence("A run may take {timeout}; its process is ended after {hard_timeout}.", FUNCTION),
    _sentence("Start up to {jitter} after the time, on the queue {queue}, priority {priority}."),
)
_IN_SENTENCES = tuple(name for sentence in POLICIES for name in sentence.names)
ORDER_OF_RUN = (
    "function", "kind", *CALL, "when", "delay", "at", "zone", "pass", *HOW, "unique_key", "on_conflict",
    "with_children", "run_condition", "reason",
)  # fmt: skip
ORDER_OF_CRON = (
    "schedule", "expression", "every", "time_zone", "function", "day_or", *_IN_SENTENCES, "kind", *CALL,
    *GIVEN, *BOUNDS, "run_condition", "is_enabled", "reason",
)  # fmt: skip
# What a cron ticker has beside its work, its schedule, and the moments that are of its zone.
OWN_OF_CRON = tuple(
    name
    for name in ("time_zone", "day_or", *_IN_SENTENCES, *BOUNDS)
    if name not in WORK and FIELDS[name].kind is not MOMENT
)
