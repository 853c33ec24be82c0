"""What a word that was typed may name: runs by their ids, functions, cron tickers, errors, nodes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from tickerq_celery.enums import NodeKind
from tickerq_celery.views import CronSummary, ErrorGroup, FunctionView, LostNode, NodeView, RunSummary
from tickerq_dashboard.reading.reader import SLOW, Reader, or_none
from tickerq_dashboard.reading.windows import WINDOWS

# So many of a kind are shown; so many that begin alike are looked through for further words; and of so many
# groups of errors the types are known.
MOST, BEGINNING, GROUPS = 10, 100, 200
WINDOW = WINDOWS["7d"]
_ID_PREFIX = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]){0,24}-?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNode:
    """A beat or worker; a lost one has no row of its own any more."""

    id: UUID
    name: str
    kind: NodeKind
    is_lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundError:
    """A type of exception with which runs failed, and how many did in the window."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a word may name, up to ``MOST`` of each kind."""

    runs: tuple[RunSummary, ...] = ()
    functions: tuple[FunctionView, ...] = ()
    crons: tuple[CronSummary, ...] = ()
    errors: tuple[FoundError, ...] = ()
    nodes: tuple[FoundNode, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of what something was found."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name))


def is_id_prefix(word: str) -> bool:
    """Return whether a word may begin an id."""
    return _ID_PREFIX.fullmatch(word) is not None


def found_by(reader: Reader, words: Sequence[str]) -> Found:
    """Return what words name, each kind by one bounded read; one that is too much to read has none.

    A name begins with the first of them, and has the others.
    """
    runs, word = reader.tickerq.runs, words[0]
    is_id, most = len(words) == 1 and is_id_prefix(word), MOST if len(words) == 1 else BEGINNING
    functions = or_none(lambda: reader.functions(word, None, most)) or ()
    crons = or_none(lambda: reader.crons("by_name", {"function_prefix": word}, None, most)) or ()
    return Found(
        runs=(or_none(lambda: runs.by_id_prefix(word, limit=MOST)) or ()) if is_id else (),
        functions=tuple(each for each in functions if has_all(each.name, words))[:MOST],
        crons=tuple(each for each in crons if has_all(each.function, words))[:MOST],
        errors=tuple(each for each in _errors(_groups(reader), word) if has_all(each.name, words))[:MOST],
        nodes=tuple(each for each in _nodes(reader, word) if has_all(each.name, words))[:MOST],
    )


def has_all(name: str, words: Sequence[str]) -> bool:
    """Return whether a name has all words but the first, in any case; that one is what it was found by."""
    return all(each.casefold() in name.casefold() for each in words[1:])


def _groups(reader: Reader) -> tuple[ErrorGroup, ...]:
    def read() -> tuple[ErrorGroup, ...]:
        since = WINDOW.since(reader.now())
        found = or_none(lambda: reader.tickerq.errors.groups(since=since, limit=GROUPS))
        return () if found is None else found.groups

    return reader.cached("types of errors", read, fresh=SLOW)


def _errors(groups: Iterable[ErrorGroup], word: str) -> Iterable[FoundError]:
    """Yield the types that begin so, with their path or without it, in any case; the most common first."""
    counts: dict[str, int] = {}
    for each in groups:
        name = each.error_type or ""
        if any(start.casefold().startswith(word.casefold()) for start in (name, name.rpartition(".")[2])):
            counts[name] = counts.get(name, 0) + each.count
    in_order = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return (FoundError(name=name, count=count) for name, count in in_order if name)


def _nodes(reader: Reader, word: str) -> Iterable[FoundNode]:
    """Yield the nodes whose name has the word, those that are there first."""
    there = or_none(reader.nodes) or ()
    known = {each.id for each in there}
    lost = [each for each in or_none(reader.lost_nodes) or () if each.id not in known]
    every: list[NodeView | LostNode] = [*there, *lost]
    for each in every:
        if word.casefold() in each.name.casefold():
            yield FoundNode(id=each.id, name=each.name, kind=each.kind, is_lost=each.id not in known)
