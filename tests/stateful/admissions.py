"""What a ``run_now`` admits and then publishes: two transactions, which the machine sees as one step."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from tests.stateful.sight import Sight
from tickerq_celery.enums import TERMINAL, HoldReason, TickerStatus


def due_at(then_all: Sight, now_all: Sight, run: Row[Any], moment: datetime) -> datetime | None:
    """Return when a run, as it was then, was due: at once where a ``run_now`` since then has admitted it."""
    if run.due_at is not None or not _is_admitted(then_all, now_all, run):
        due: datetime | None = run.due_at
        return due
    return moment if run.not_before is None else max(run.not_before, moment)


def has_run_meanwhile(then_all: Sight, now_all: Sight, run: Row[Any]) -> bool:
    """Return True if a manual run for which a held one gave way has ended within the same step.

    As the call of a Celery task does that no worker follows: the lock is back, and the next claim holds its
    owner again.
    """
    return any(
        each.cron_ticker_id == run.cron_ticker_id and each.instant is None and each.status in TERMINAL
        for run_id, each in now_all.runs.items()
        if run_id not in then_all.runs
    )


def _is_admitted(then_all: Sight, now_all: Sight, run: Row[Any]) -> bool:
    """Whether the overlap lock passed to a manual run: its unclaimed holder gave way to the run just added.

    That one waits behind those that were asked for before it, the first of which gets the lock.
    """
    waiting = then_all.held(HoldReason.OVERLAP, str(run.cron_ticker_id))
    asked_for = [each.id for each in waiting if each.instant is None]
    is_first = bool(asked_for) and run.id == min(asked_for)
    is_one_added = any(
        each.cron_ticker_id == run.cron_ticker_id and each.instant is None and run_id not in then_all.runs
        for run_id, each in now_all.runs.items()
    )
    holders = [each for each in then_all.runs.values() if each.active_key == f"cron:{run.cron_ticker_id}"]
    # There is none where it was deleted.
    gave_way = all(each.status is TickerStatus.IDLE and each.instant is not None for each in holders)
    return is_first and is_one_added and gave_way
