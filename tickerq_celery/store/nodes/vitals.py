"""What a beat or worker says of itself with each heartbeat, as columns of its row."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement

from tickerq_celery.store.database.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerRefusal:
    """What the broker has done instead of taking messages, since when and when last: monotonic moments."""

    words: str
    since: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What a process says of itself with each heartbeat.

    ``memory`` is in bytes. ``is_idle`` is of a worker, and asked in the transaction of the heartbeat: whether
    it has no message, neither running nor prefetched, and nothing to record of one. Of a beat, ``ticked`` is
    the monotonic moment of its last complete tick, ``claimed`` how often it has claimed a run,
    ``round_ended`` the monotonic moment at which it last had pruned all that was expired, and ``pruned`` how
    many rows it has deleted so. ``refusal`` is of what it publishes, None where the broker took the last of
    that.
    """

    memory: int | None = None
    is_idle: Callable[[], bool] = lambda: False
    ticked: float | None = None
    claimed: int | None = None
    round_ended: float | None = None
    pruned: int | None = None
    refusal: BrokerRefusal | None = None


def signs_of(tx: Transaction, vitals: Vitals) -> dict[str, object]:
    """Return the columns that each heartbeat writes, but for the counter."""
    refusal = vitals.refusal
    return {
        "seen_at": tx.now,
        "clock_at": tx.clock.now(),
        "memory": vitals.memory,
        "ticked_at": _moment(tx, vitals.ticked),
        "claimed": vitals.claimed,
        "pruned_at": _moment(tx, vitals.round_ended),
        "pruned": vitals.pruned,
        "refusal": None if refusal is None else refusal.words,
        "refused_since": None if refusal is None else _moment(tx, refusal.since),
        "refused_at": None if refusal is None else _moment(tx, refusal.last),
    }


def _moment(tx: Transaction, monotonic: float | None) -> ColumnElement[datetime] | None:
    """Return a moment of this process by the database's clock, as all that is compared with it."""
    return None if monotonic is None else tx.sql_after(-timedelta(seconds=tx.clock.monotonic() - monotonic))
