"""Retention: delete what is expired, one bounded piece after the other."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from tickerq_celery.enums import TickerStatus
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.functions.retention import Rule, rules_of
from tickerq_celery.runs.archive import Archive
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import lost_nodes
from tickerq_celery.store.records import past_runs, pruning, record_pruning
from tickerq_celery.store.records.past_runs import PastRuns
from tickerq_celery.store.records.pruning import PastChains
from tickerq_celery.store.runs import runs
from tickerq_celery.store.stats import rollup_state
from tickerq_celery.tickers.archive_lines import line_of_audit, line_of_run
from tickerq_celery.tickers.uncounted_ends import EndPosition

_AT_ONCE = 500
# Each may have a thousand runs.
_CHAINS_AT_ONCE = 50
_MOST_BUSY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one step did: how many rows it ``deleted``, and whether it was the last one of a round."""

    deleted: int
    is_last: bool


class Pruner:
    """Deletes what is expired: runs, rows of the audit and of the roll-up, bulk jobs.

    Several may do so at once. A run stays until the roll-up has counted its end.

    A round goes on where the one before ended, so that what is kept is not walked through again: when a run
    expires its whole chain is read, and the last one to do so finds all of it expired.
    """

    def __init__(self, core: Core, archive: Archive | None) -> None:
        self.core = core
        self._archive = archive
        self._positions: dict[Rule, EndPosition] = {}
        # What is left of the round: rules, of which None stands for all but runs, and found heads.
        self._rules: deque[Rule | None] = deque()
        self._heads: deque[Sequence[UUID]] = deque()
        # What another transaction had locked, for the next round.
        self._busy: dict[UUID, None] = {}

    @property
    def busy(self) -> int:
        """How many chains other transactions had locked: the next round comes back to them."""
        return len(self._busy)

    def begin_again(self) -> None:
        """Let the next round look at everything: another process may have died over a part of it."""
        self._positions.clear()

    def step(self) -> Piece:
        """Do one bounded piece of a round; the one after its last begins the next.

        Raises:
            StoreError: The database is unreachable.
            ConfigError: The archive cannot be written.
        """
        if not self._rules:
            self._rules.extend((*rules_of(self.core.config.retention), None))
            self._add_heads(list(self._busy), at_once=_CHAINS_AT_ONCE)
            self._busy.clear()
        if self._heads:
            deleted, is_done = self._prune_runs(self._heads[0]), False
            self._heads.popleft()
        elif (rule := self._rules[0]) is not None:
            deleted, is_done = 0, self._look(rule)
        else:
            records = self.core.write(self._prune_records)
            deleted, is_done = records.deleted, records.is_last
        if is_done:
            self._rules.popleft()
        return Piece(deleted=deleted, is_last=not self._rules)

    def _look(self, rule: Rule) -> bool:
        """Find the next expired runs; return True if there are no more."""
        after = self._positions.get(rule)
        found = self.core.read(_find, rule, after)
        self._add_heads(found.unchained, at_once=_AT_ONCE)
        self._add_heads(found.heads, at_once=_CHAINS_AT_ONCE)
        if found.position is not None:
            self._positions[rule] = found.position
        return found.is_last

    def _add_heads(self, heads: Sequence[UUID], *, at_once: int) -> None:
        self._heads.extend(heads[first : first + at_once] for first in range(0, len(heads), at_once))

    def _prune_runs(self, heads: Sequence[UUID]) -> int:
        pruned = self.core.write(self._prune, heads)
        for each in pruned.busy:
            if len(self._busy) < _MOST_BUSY:
                self._busy[each] = None
        return len(pruned.ids)

    def _prune(self, tx: Transaction, heads: Sequence[UUID]) -> PastChains:
        # It only moves forward, so what it says now stays true.
        counted = rollup_state.position(tx)
        past = pruning.lock_past(tx, heads, self._past_at(tx.now), counted=counted)
        found = pruning.mark_crons(tx, past)
        if not found.ids:
            return found
        if self._archive is not None:
            whole = runs.get_all(tx, found.ids, codec=self.core.codec)
            self._archive.append(line_of_run(whole[each]) for each in found.ids)
            failpoint(CrashPoint.ARCHIVED)
        pruning.remove(tx, found)
        failpoint(CrashPoint.PRUNE_UNCOMMITTED)
        return found

    def _past_at(self, now: datetime) -> pruning.IsPast:
        retention = self.core.config.retention

        def is_past(function: str, status: TickerStatus, ended_at: datetime) -> bool:
            return retention.is_past(function, status, ended_at=ended_at, now=now)

        return is_past

    def _prune_records(self, tx: Transaction) -> Piece:
        """Delete old rows of the audit, bulk jobs, rows of the roll-up, and nodes that were lost long ago."""
        retention = self.core.config.retention
        old = () if retention.audit is None else record_pruning.lock_audit(tx, retention.audit, _AT_ONCE)
        if old and self._archive is not None:
            self._archive.append(line_of_audit(each) for each in old)
            failpoint(CrashPoint.ARCHIVED)
        record_pruning.remove_audit(tx, [each.id for each in old])
        ended = 0 if retention.bulk is None else record_pruning.remove_bulk(tx, retention.bulk, _AT_ONCE)
        rolled = (
            0 if retention.rollups is None else record_pruning.remove_rollups(tx, retention.rollups, _AT_ONCE)
        )
        lost = lost_nodes.remove_old(tx, _AT_ONCE)
        most = max(len(old), ended, rolled, lost)
        return Piece(deleted=len(old) + ended + rolled + lost, is_last=most < _AT_ONCE)


def _find(tx: Transaction, rule: Rule, after: EndPosition | None) -> PastRuns:
    counted = rollup_state.position(tx)
    return past_runs.find(tx, rule, after=after, counted=counted, limit=_AT_ONCE)


def archive_of(path: str | None) -> Archive | None:
    """Return the archive that a setting or an option asks for."""
    return None if path is None else Archive(Path(path))
