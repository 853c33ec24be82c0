"""The search boxes: an id opens what it is of, ``key:value`` sets a filter, a plain word names something."""

import shlex
from collections.abc import Iterator, Mapping
from uuid import UUID

from tickerq_celery.enums import HoldReason, Origin
from tickerq_dashboard.filter_values import PUBLISHED_SLUG, TYPE_SLUGS
from tickerq_dashboard.filters import TYPED_MOMENTS, RunsQuery, TypedQuery
from tickerq_dashboard.show.moments import Clock, machine
from tickerq_dashboard.show.statuses import SLUGS
from tickerq_dashboard.texts import Unreadable
from tickerq_dashboard.typed_moments import past_moment

# The filters that can be written, and what each takes.
KEYS: Mapping[str, str] = {
    "status": f"one or more, with commas: {', '.join((*SLUGS, PUBLISHED_SLUG))}",
    "function": "the whole name of a function",
    "queue": "a queue",
    "tag": "a tag",
    "node": "the node that runs it, or ran it last",
    "error": "words of the error's message, or of why it was skipped",
    "error_type": "the name of an exception",
    "type": f"one of {', '.join(TYPE_SLUGS)}",
    "cron": "the id of a cron ticker",
    "chain": "the id of the first run of a chain",
    "held": f"why it waits: {', '.join(HoldReason)}",
    "since": "when it ended at the earliest: 2h ago, 14:30, 2026-11-24 14:30",
    "until": "before when it ended, in the same way",
    "longer": "how long its last attempt took at least: 90s, 5min",
    "attempts": "how many attempts it had at least",
    "origin": f"what made it: {', '.join(Origin)}",
    "key": "its concurrency key",
    "unique_key": "its unique key",
}


# What a word alone finds, and by what.
FOUND: Mapping[str, str] = {
    "an id": "its run, or its cron ticker",
    "8 or more digits of an id": "the runs whose ids begin so",
    "a part of a function's name": "the function, its cron tickers and its runs; also cron tickers of a "
    "Celery task",
    "a part of an exception's name": "the failures with it, of the last 7 d",
    "a part of a node's name": "the beat or worker, also one that was lost",
    "several words": "what has all in its name; else the failures whose message has them as they stand",
}


class SearchError(ValueError):
    """What stands in the search box means nothing; the text says what does."""


def run_id_in(text: str) -> UUID | None:
    """Return the id that was pasted, or None where the text is something else."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def words_in(text: str) -> list[str]:
    """Return the words that were typed, or none where there are filters.

    A quotation mark that stays open is one of a text that was pasted. So is a colon among several words that
    no key of a filter stands before: "Cannot connect to db:5432".
    """
    try:
        parts = _parts(text)
    except ValueError:
        parts = text.split()
    keys = [key for key, _ in map(_token, parts) if key]
    is_filter = any(key in KEYS for key in keys) or (len(parts) == 1 and bool(keys))
    return [] if is_filter else [part for part in parts if part]


def searched(query: RunsQuery, clock: Clock) -> dict[str, object]:
    """Return the filters of a query with those that its typed texts set, as words of an address.

    Raises:
        SearchError: A key does not exist, there is more than one plain word, or a moment cannot be read.
    """
    words = timed(query, clock)
    for key, value in _tokens(query.q):
        if not key:
            if words.get("prefix") not in {None, "", value}:
                raise SearchError(
                    f"One word begins a function's name, which is “{words['prefix']}” here already. For "
                    f'“{value}” write key:value, such as error:"two words".'
                )
            words["prefix"] = value
        elif key in TYPED_MOMENTS.values():
            words[key] = _moment(key, value, clock)
        elif key in KEYS:
            if key == "queue" and value != words.get("queue"):
                # Those functions go to the other one.
                words.pop("routed", None)
            words[key] = value
        else:
            raise SearchError(f"“{key}:” is no filter. There are {', '.join(sorted(KEYS))}.")
    return words


def timed(query: TypedQuery, clock: Clock) -> dict[str, object]:
    """Return the filters of a query with the moments that were typed, as words of an address.

    Raises:
        SearchError: One cannot be read.
    """
    typed = {key: getattr(query, field) for field, key in TYPED_MOMENTS.items() if getattr(query, field)}
    return query.words | {key: _moment(key, text, clock) for key, text in typed.items()}


def _moment(field: str, text: str, clock: Clock) -> str:
    try:
        return machine(past_moment(text, clock))
    except Unreadable as error:
        raise SearchError(f"{field.capitalize()}: {error}") from None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    try:
        parts = _parts(text)
    except ValueError as error:
        raise SearchError("A quotation mark is open.") from error
    yield from map(_token, parts)


def _parts(text: str) -> list[str]:
    """Return words, and what stands in quotation marks, as one each.

    Raises:
        ValueError: A quotation mark is open.
    """
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    # A backslash is a letter of what is looked for, such as a path of Windows.
    lexer.escape = ""
    return list(lexer)


def _token(part: str) -> tuple[str, str]:
    key, colon, value = part.partition(":")
    return (key, value) if colon and value else ("", part)
