"""The way out: calls that wait go to Celery one by one, and what Celery cannot hold is found."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from uuid import UUID

from celery import Celery
from sqlalchemy import Connection

from tickerq_celery.beat.as_beat_schedule import BeatSchedule, as_beat_schedule
from tickerq_celery.beat.celery_schedules import zone_name
from tickerq_celery.broker.handed_back import as_line
from tickerq_celery.broker.plain_json import revived_call
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.errors import ConfigError, PublishError, SchemaError, StoreError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.codec import Packed
from tickerq_celery.runs.archive import Archive
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.calls import handing_back
from tickerq_celery.store.calls.handing_back import LeftRuns, WaitingCalls, Why
from tickerq_celery.store.cron import cron_tickers, pauses
from tickerq_celery.store.database import schema
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import nodes
from tickerq_celery.store.runs import claims, publications
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.cron_rows import CronRow
from tickerq_celery.wording import cause_of

LATER_OPTION = "--later"
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the store has: calls that wait, runs that Celery cannot hold, and the cron tickers."""

    calls: Sequence[WaitingCalls]
    left: Sequence[LeftRuns]
    crons: BeatSchedule

    @property
    def is_all_held(self) -> bool:
        """Whether Celery can hold all of it."""
        return not self.left and not self.crons.left


class Became(Enum):
    """What became of a call that waited."""

    SENT = "sent"
    LATER = "later"
    LOCKED = "locked"
    HELD = "held"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call that cannot be sent, which waits as before."""

    id: UUID
    error: str


class WayOut:
    """Hands one namespace back; a call that is due after more than ``horizon`` goes to the file ``later``."""

    def __init__(self, app: Celery, core: Core, *, horizon: timedelta | None, later: Archive) -> None:
        self._app = app
        self._core = core
        self._horizon = horizon
        self._later = later
        config = core.config
        self._handed: set[UUID] = set()
        self._publisher = CeleryPublisher(app, core.codec, lease=config.lease, connect_timeout=5.0)

    def look(self) -> Findings:
        """Return what would be handed back, and what cannot be."""
        return self._core.read(self._look)

    def hand_back(self) -> Iterator[Became | Refused]:
        """Hand all calls back that wait, each in a transaction of its own, and yield what became of each.

        A process that dies between the message and the commit has sent a call that waits all the same: the
        next one sends it again, under the same task id.

        Raises:
            PublishError: The broker is unreachable: what was not handed back waits.
            ConfigError: The file cannot be written.
        """
        after: UUID | None = None
        while page := self._core.read(handing_back.waiting_after, after, limit=_PAGE):
            for run_id in page:
                try:
                    became = self._core.write(self._hand_back_one, run_id)
                except (PublishError, StoreError, ConfigError):
                    raise
                except Exception as error:  # noqa: BLE001 - of this call alone: the others go on
                    yield Refused(id=run_id, error=self._core.redact(cause_of(error)))
                else:
                    failpoint(CrashPoint.STAMPED)
                    yield became
            after = page[-1]

    def drop_tables(self) -> None:
        """Drop the store's tables.

        Raises:
            SchemaError: Another namespace has a row, a beat or worker is alive, or a run has not ended.
        """
        schema.drop(self._core.database, self._refuse_drop)

    def close(self) -> None:
        """Let go of the broker."""
        self._publisher.close()

    def _look(self, tx: Transaction) -> Findings:
        paused, latest = pauses.list_pauses(tx), self._latest(tx)
        calls, left = handing_back.count_waiting(tx, later_than=latest), handing_back.count_left(tx)
        if paused:
            held = self._count_held(tx)
            calls = [replace(each, calls=each.calls - held[each.task]) for each in calls]
            calls = [each for each in calls if each.calls]
            left += [LeftRuns(function=task, why=Why.HELD, runs=runs) for task, runs in sorted(held.items())]
        crons = as_beat_schedule(
            cron_tickers.all_rows(tx), self._call_of_cron, zone=self._zone(), pauses=paused
        )
        return Findings(calls=calls, left=left, crons=crons)

    def _count_held(self, tx: Transaction) -> Counter[str]:
        """Count by task the calls that wait, and that a pause will hold once they are due."""
        held: Counter[str] = Counter()
        after: UUID | None = None
        while page := handing_back.waiting_runs(tx, after, limit=_PAGE):
            keys = pauses.holding(tx, page)
            held.update(run.function for run in page if run.id in keys)
            after = page[-1].id
        return held

    def _zone(self) -> str | None:
        try:
            return zone_name(self._app.timezone)
        except ValueError:
            return None

    def _latest(self, tx: Transaction) -> datetime | None:
        return None if self._horizon is None else tx.now + self._horizon

    def _call_of_cron(self, row: CronRow) -> CeleryCall:
        return revived_call(self._call(Packed(row.request, row.encoding)))

    def _call(self, packed: Packed) -> CeleryCall:
        return CeleryCall.decoded(self._core.codec.unpack(packed) or b"")

    def _hand_back_one(self, tx: Transaction, run_id: UUID) -> Became:
        due = handing_back.lock_waiting(tx, run_id)
        if due is None or due.call is None:
            return Became.LOCKED if handing_back.is_waiting(tx, run_id) else Became.GONE
        if pauses.holding(tx, [due]):
            return Became.HELD
        config = self._core.config
        (claim,) = claims.claim(
            tx,
            [due],
            holder=self._core.node.name,
            late_after=config.late_after,
            publish_check=config.publish_check,
        )
        stamp = {"published_at": tx.sql_now(), "publish_count": 1}
        publications.end_as_published(tx, claim.id, claim.number, **stamp)
        failpoint(CrashPoint.CLAIM_UNCOMMITTED)
        # The message last: what cannot be recorded is not sent.
        return self._hand_over(claim, self._call(due.call), due.due_at, latest=self._latest(tx))

    def _hand_over(self, claim: Claim, call: CeleryCall, due: datetime, *, latest: datetime | None) -> Became:
        is_late = latest is not None and due > latest
        # A transaction that the database refused at its commit is repeated, and the message is out.
        if claim.id not in self._handed:
            if is_late:
                self._later.append([as_line(self._app, claim, call, due)])
            else:
                self._publisher.hand_back(claim, call, due)
            self._handed.add(claim.id)
            failpoint(CrashPoint.PUBLISHED)
        return Became.LATER if is_late else Became.SENT

    def _refuse_drop(self, connection: Connection) -> None:
        tx = self._core.transaction(connection)
        others = handing_back.other_namespaces(tx)
        if others:
            raise SchemaError(f"the tables stay: the store serves the namespace {', '.join(others)} as well")
        alive = nodes.list_live(tx, lease=self._core.config.lease)
        if alive:
            names = ", ".join(f"{each.kind.value} {each.name}" for each in alive)
            raise SchemaError(f"the tables stay: {names} is alive; stop all beats and workers first")
        waiting = sum(each.calls for each in handing_back.count_waiting(tx, later_than=None))
        waiting += sum(each.runs for each in handing_back.count_left(tx))
        if waiting:
            raise SchemaError(f"the tables stay: {waiting:,} runs have not ended")


def later_file(path: str) -> Archive:
    """Return the file for what is due too late.

    Raises:
        ConfigError: It cannot be written.
    """
    if not Path(path).parent.is_dir():
        raise ConfigError(LATER_OPTION, f"{path}: there is no such folder")
    return Archive(Path(path), setting=LATER_OPTION)
