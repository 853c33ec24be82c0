"""What a word that was typed may name: runs by their ids, functions, cron tickers, errors, nodes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from uuid import UUID

from tickerq_celery.enums import NodeKind
from tickerq_celery.views import CronSummary, ErrorGroup, FunctionName, LostNode, NodeView, RunSummary
from tickerq_dashboard.reading.reader import SLOW, Reader, or_none
from tickerq_dashboard.reading.windows import WINDOWS

# So many of a kind are shown, and of so many groups of errors the types are known.
MOST, GROUPS = 10, 200
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
    """A type of exception, and how many failures it was in the window."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a word may name, up to ``MOST`` of each kind."""

    runs: tuple[RunSummary, ...] = ()
    functions: tuple[str, ...] = ()
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
    """Return what words name, each kind by bounded reads; one that is too much to read has none.

    A name has all of them, in any case; that of a cron ticker is its function's.
    """
    runs, is_id = reader.tickerq.runs, len(words) == 1 and is_id_prefix(words[0])
    names = _names(reader, words)
    return Found(
        runs=(or_none(lambda: runs.by_id_prefix(words[0], limit=MOST)) or ()) if is_id else (),
        functions=tuple(each.name for each in names if each.is_function),
        crons=_crons(reader, [each.name for each in names]),
        errors=tuple(each for each in _errors(_groups(reader)) if _has_all(each.name, words))[:MOST],
        nodes=tuple(each for each in _nodes(reader) if _has_all(each.name, words))[:MOST],
    )


def is_name(reader: Reader, text: str) -> bool:
    """Return whether a text is the whole name of something that runs, as far as that can be read."""
    return any(each.name == text for each in _names(reader, [text]))


def _has_all(name: str, words: Sequence[str]) -> bool:
    return all(each.casefold() in name.casefold() for each in words)


def _names(reader: Reader, words: Sequence[str]) -> tuple[FunctionName, ...]:
    read = reader.tickerq.functions.names
    return reader.cached_or_none(("names", *words), lambda: read(*words, limit=MOST), fresh=3.0) or ()


def _crons(reader: Reader, names: Sequence[str]) -> tuple[CronSummary, ...]:
    """Return the first cron tickers of some functions, in the order of these."""
    found: list[CronSummary] = []
    for some in _ascending(names):
        if len(found) < MOST:
            found += or_none(partial(reader.crons, "by_name", {"function": some}, None, MOST)) or ()
    return tuple(found[:MOST])


def _ascending(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return names in groups that a list by name has in their order: one for each way of matching at most."""
    groups: list[tuple[str, ...]] = []
    for name in names:
        if groups and groups[-1][-1] < name:
            groups[-1] = (*groups[-1], name)
        else:
            groups.append((name,))
    return groups


def _groups(reader: Reader) -> tuple[ErrorGroup, ...]:
    uncounted = reader.uncounted()

    def read() -> tuple[ErrorGroup, ...]:
        since, find = WINDOW.since(reader.now()), reader.tickerq.errors.groups
        return find(since=since, limit=GROUPS, with_samples=False, uncounted=uncounted).groups

    return reader.cached_or_none("types of errors", read, fresh=SLOW) or ()


def _errors(groups: Iterable[ErrorGroup]) -> Iterable[FoundError]:
    """Yield the types with their failures, the most common first."""
    counts: dict[str, int] = {}
    for each in groups:
        name = each.error_type or ""
        counts[name] = counts.get(name, 0) + each.count
    in_order = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return (FoundError(name=name, count=count) for name, count in in_order if name)


def _nodes(reader: Reader) -> Iterable[FoundNode]:
    """Yield the nodes, those that are there first."""
    there = or_none(reader.nodes) or ()
    known = {each.id for each in there}
    lost = [each for each in or_none(reader.lost_nodes) or () if each.id not in known]
    every: list[NodeView | LostNode] = [*there, *lost]
    for each in every:
        yield FoundNode(id=each.id, name=each.name, kind=each.kind, is_lost=each.id not in known)
