"""The search boxes: an id opens what it is of, ``key:value`` sets a filter, a plain word names something."""

import shlex
from collections.abc import Iterator, Mapping
from uuid import UUID

from tickerq_dashboard.filters import TypedQuery
from tickerq_dashboard.run_filters import RunFilters, RunsQuery
from tickerq_dashboard.show.moments import Clock, machine
from tickerq_dashboard.texts import Unreadable
from tickerq_dashboard.typed_moments import past_moment

# The filters that can be written, and what each takes.
KEYS: Mapping[str, str] = {
    name: field.description for name, field in RunFilters.model_fields.items() if field.description
}
_MOMENTS = {name for name in KEYS if name.endswith(("_from", "_until"))}


# What a word alone finds, and by what.
FOUND: Mapping[str, str] = {
    "an id": "its run, or its cron ticker",
    "8 or more digits of an id": "the runs whose ids begin with them",
    "a part of a function's name": "the function, its cron tickers and its runs; also cron tickers of a "
    "Celery task",
    "a part of an exception's name": "the failures with it, of the last 7 d",
    "a part of a node's name": "the beat or worker, even one that was lost",
    "several words": "what has all of them in its name; else the failures whose message has exactly these",
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
            if words.get("function_prefix") not in {None, "", value}:
                raise SearchError(
                    f"One word begins a function's name, which is “{words['function_prefix']}” here "
                    f'already. For “{value}” write key:value, such as error:"two words".'
                )
            words["function_prefix"] = value
        elif key in _MOMENTS:
            words[key] = _moment(query, key, value, clock)
        elif key in KEYS:
            if key == "queue" and value != words.get("queue"):
                # Those functions go to the other one.
                words.pop("routed", None)
            words[key] = value
        else:
            raise SearchError(f"“{key}:” is not a filter. There are {', '.join(sorted(KEYS))}.")
    return words


def typed_function(text: str) -> str:
    """Return the function that a search names by its key, or nothing."""
    return dict(_tokens(text)).get("function", "")


def timed(query: TypedQuery, clock: Clock) -> dict[str, object]:
    """Return the filters of a query with the moments that were typed, as words of an address.

    Raises:
        SearchError: One cannot be read.
    """
    typed = {key: getattr(query, field) for field, key in query.moments.items() if getattr(query, field)}
    return query.words | {key: _moment(query, key, text, clock) for key, text in typed.items()}


def _moment(query: TypedQuery, name: str, text: str, clock: Clock) -> str:
    try:
        return machine(past_moment(text, clock))
    except Unreadable as error:
        label = type(query).model_fields[name].title or name
        raise SearchError(f"{label.capitalize()}: {error}") from None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    try:
        parts = _parts(text)
    except ValueError as error:
        raise SearchError("A quotation mark is not closed.") from error
    yield from map(_token, parts)


def _parts(text: str) -> list[str]:
    """Return words, and what stands in quotation marks, as one each.

    Raises:
        ValueError: A quotation mark is not closed.
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
