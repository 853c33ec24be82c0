"""The public reads that people wait for, each with what it is asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

from tests.inner import Slot
from tests.plans.audited import AUDITED, audited_at
from tests.plans.history import BIG, BUSY_CRON, COMMON, NEW_CRON, RARE, RARE_NODE, History, unended
from tests.plans.stored import Read
from tests.plans.writing import id_of
from tests.statements import capacity, concurrency, counted_ends, holds, rates, rollup_state, wait_queues
from tickerq_celery import TickerQ, TickerStatus
from tickerq_celery.enums import HoldReason, TickerKind, TickerType
from tickerq_celery.errors import TickerNotFoundError
from tickerq_celery.store.runs.due_flows import DueFlowsQuery

# What an index of history finds.
_INDEXED: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "failed": {"status": TickerStatus.FAILED},
    "done": {"status": TickerStatus.DONE},
    "done, of a rare function": {"status": TickerStatus.DONE, "function": RARE},
    "published": {"is_published": True},
    "ended as published": {"outcome_known": False},
    "cancelled or failed": {"status": [TickerStatus.CANCELLED, TickerStatus.FAILED]},
    "a common function's": {"function": COMMON},
    "a rare function's": {"function": RARE},
    "a function's that is gone": {"function": "shop.gone"},
    "a rare function's, failed": {"function": RARE, "status": TickerStatus.FAILED},
    "two functions'": {"function": [RARE, "shop.f3"]},
    "of Celery tasks": {"kind": TickerKind.CELERY_TASK},
    "time tickers": {"type": TickerType.TIME_TICKER},
    "occurrences of Celery tasks": {
        "type": TickerType.CRON_TICKER_OCCURRENCE,
        "kind": TickerKind.CELERY_TASK,
    },
    "a node's": {"node": "worker-3"},
    "a rare node's": {"node": RARE_NODE},
    "a node's that is gone": {"node": "worker-gone"},
    "a busy cron ticker's": {"cron_ticker_id": BUSY_CRON},
    "a busy cron ticker's, cancelled": {"cron_ticker_id": BUSY_CRON, "status": TickerStatus.CANCELLED},
    "a new cron ticker's": {"cron_ticker_id": NEW_CRON},
    "a chain's": {"root_id": id_of(1_006)},
}
# What is looked for among the rows of a list.
_LOOKED_FOR: Mapping[str, Mapping[str, Any]] = {
    "with a tag": {"tag": "eu"},
    "with a tag that none has": {"tag": "gone"},
    "with an error": {"error": "no such text"},
    "in a queue": {"queue": "mail"},
    "with many attempts": {"min_attempts": 5},
    "by a prefix": {"function_prefix": "shop.gone"},
    "not of a function": {"exclude": {"function": COMMON}},
    "failed, with a tag that none has": {"status": TickerStatus.FAILED, "tag": "gone"},
}


_OF_CRONS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "a function's": {"function": RARE},
    "several functions'": {"function": [RARE, COMMON, "shop.f3", "shop.gone"]},
    "by a prefix": {"function_prefix": "shop.f1"},
    "paused": {"is_enabled": False},
    "failing": {"is_failing": True},
    "with a tag that none has": {"tag": "gone"},
}


_SOME_CRONS = [BUSY_CRON, *(id_of(number) for number in range(2, 80))]


def _counted(status: TickerStatus) -> Read:
    return lambda tickerq, history: tickerq.runs.count(status=status)


def _run(tickerq: TickerQ, history: History) -> object:
    return tickerq.runs.get(id_of(history.runs - 2 if tickerq.config.namespace == BIG else 3))


def _explained(tickerq: TickerQ, history: History) -> object:
    """Ask why runs of every state do not run, and who holds the slots of a common function."""
    found = []
    for run_id in [id_of(3), *unended()]:
        # Those of this size of the store, and of this namespace.
        with suppress(TickerNotFoundError):
            found.append(tickerq.runs.explain(run_id))
    slot = Slot(COMMON, "eu")
    return found, tickerq.core.read_bounded(wait_queues.holders, COMMON, slot, most=1)


def _old_audit(tickerq: TickerQ, history: History) -> object:
    number = AUDITED // 2
    cursor = f"{audited_at(history.until, number).isoformat()}|{id_of(number)}"
    return tickerq.audit.find(cursor=cursor), tickerq.audit.find(actor="user-1", cursor=cursor)


def _deciding(tickerq: TickerQ, history: History) -> object:
    """Read what each claim and each sweep read, of a function with limits as well."""
    core = tickerq.core
    slot = Slot(COMMON, "eu")
    return (
        core.read(capacity.read, (), ready_among=None, lease=core.config.lease),
        core.read(lambda tx: tx.scalar(rates.next_ready(tx))),
        core.read(concurrency.queued_per_queue, [None, "mail"]),
        core.read(concurrency.ahead, [None, "mail"], lease=core.config.lease),
        core.read(DueFlowsQuery(most=100).read, after=None),
        core.read(concurrency.active_per_function, [COMMON, RARE]),
        core.read(concurrency.active_per_slot, [slot]),
        [core.read(holds.held_keys, reason) for reason in HoldReason],
        core.read(holds.has_any),
    )


def _chain(tickerq: TickerQ, history: History) -> object:
    return tickerq.chains.tree(id_of(1_007 if tickerq.config.namespace == BIG else 5_057))


def _backfill(tickerq: TickerQ, history: History) -> object:
    now = tickerq.core.clock.now()
    # The small namespace has none of its id.
    with suppress(TickerNotFoundError):
        return tickerq.cron_tickers.backfill_preview(BUSY_CRON, now - timedelta(days=300), now)
    return None


def _pages(listing: str, filters: Mapping[str, Any]) -> Read:
    """Return a read of a first page, of a second one, and of the one before."""

    def read(tickerq: TickerQ, history: History) -> object:
        listed = partial(getattr(tickerq.runs, listing), **filters)
        return _there_and_back(listed)

    return read


def _of_an_old_day(filters: Mapping[str, Any]) -> Read:
    """Return a read of what ended in an hour in the middle of the history, from page to page and back."""

    def read(tickerq: TickerQ, history: History) -> object:
        day = {"ended_from": history.middle, "ended_until": history.middle + timedelta(hours=1)}
        listed = partial(tickerq.runs.history, **filters, **day)
        return _there_and_back(listed)

    return read


def _crons(listing: str, filters: Mapping[str, Any]) -> Read:
    """Return a read of a first page of cron tickers, of a second one, and of the one before."""

    def read(tickerq: TickerQ, history: History) -> object:
        return _there_and_back(partial(getattr(tickerq.cron_tickers, listing), **filters))

    return read


def _there_and_back(listed: Callable[..., Any]) -> object:
    first = listed()
    if first.next_cursor is None:
        return first
    second = listed(cursor=first.next_cursor)
    return listed(cursor=second.previous_cursor)


def _reads() -> Iterator[tuple[str, Read]]:
    yield "a run", _run
    yield "runs by the beginning of an id", lambda tickerq, _: tickerq.runs.by_id_prefix(id_of(3).hex[:8])
    yield "a chain", _chain
    yield "runs of every state, explained", _explained
    yield "counts", lambda tickerq, history: tickerq.runs.counts()
    yield (
        "held by two pauses, counted",
        lambda tickerq, _: tickerq.runs.count(held_for="paused", hold_key=["all", id_of(1).hex]),
    )
    yield "health, counted", lambda tickerq, history: tickerq.health.report()
    yield "the audit", lambda tickerq, history: tickerq.audit.find()
    yield "the audit from its middle", _old_audit
    yield "the outlook", lambda tickerq, history: tickerq.outlook.upcoming(limit=10_000, budget=60)
    yield "the outlook's first ten", lambda tickerq, history: tickerq.outlook.upcoming(limit=10)
    yield "the outlook of a function", lambda tickerq, _: tickerq.outlook.upcoming(function=RARE, budget=60)
    yield "figures of cron tickers", lambda tickerq, _: tickerq.cron_tickers.figures([BUSY_CRON, NEW_CRON])
    yield "figures of many cron tickers", lambda tickerq, _: tickerq.cron_tickers.figures(_SOME_CRONS)
    yield "bulk jobs", lambda tickerq, history: tickerq.bulk.find()
    yield "nodes", lambda tickerq, history: tickerq.nodes.find()
    yield "lost nodes", lambda tickerq, history: tickerq.nodes.lost()
    yield "what decides on a claim", _deciding
    yield "a backfill, previewed", _backfill
    yield "names of functions", lambda tickerq, history: tickerq.functions.names("f1")
    yield "functions, counted", lambda tickerq, history: tickerq.functions.find()
    for status in (TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS):
        yield f"{status}, counted", _counted(status)
    for name, filters in _OF_CRONS.items():
        yield f"cron tickers by next run, {name}", _crons("by_next_run", filters)
        yield f"cron tickers by name, {name}", _crons("by_name", filters)
    for name, filters in {**_INDEXED, **_LOOKED_FOR}.items():
        yield f"history, {name}", _pages("history", filters)
        yield f"history of an hour, {name}", _of_an_old_day(filters)
        yield f"active, {name}", _pages("active", filters)
        yield f"upcoming, {name}", _pages("upcoming", filters)


def _figures() -> Iterator[tuple[str, Read]]:
    """Yield what reads the roll-up, and what it has not counted yet."""
    yield "rolled up, throughput", lambda tickerq, history: tickerq.stats.throughput()
    yield "rolled up, a function's", lambda tickerq, history: tickerq.stats.throughput(function=RARE)
    yield "rolled up, durations", lambda tickerq, history: tickerq.stats.durations()
    yield "rolled up, lag of a function", lambda tickerq, history: tickerq.stats.lag(function=COMMON)
    yield "rolled up, failing", lambda tickerq, history: tickerq.stats.top_failing()
    yield "rolled up, errors", lambda tickerq, history: tickerq.errors.groups()
    yield "ends for the roll-up", _ends_to_count
    yield "ends of an hour for the roll-up", _ends_of_an_hour


def _ends_to_count(tickerq: TickerQ, history: History) -> object:
    # After a beat was away for hours.
    position = rollup_state.position_at(history.until - timedelta(hours=4))
    newest = tickerq.core.read(counted_ends.newest, position, limit=2_000)
    return tickerq.core.read(counted_ends.between, position, history.until, limit=2_000), newest


def _ends_of_an_hour(tickerq: TickerQ, history: History) -> object:
    begin = rollup_state.position_at(history.middle)
    end = history.middle + timedelta(hours=1)
    return tickerq.core.read(counted_ends.between, begin, end, limit=2_000, own=True)


READS: Mapping[str, Read] = dict(chain(_reads(), _figures()))
# Of each kind one, for a short run.
FEW: Mapping[str, Read] = {
    name: READS[name]
    for name in (
        "a run",
        "runs of every state, explained",
        "counts",
        "health, counted",
        "nodes",
        "what decides on a claim",
        "the audit from its middle",
        "history, all",
        "upcoming, all",
        "the outlook",
        "figures of cron tickers",
        "active, all",
        "cron tickers by next run, all",
        "ends of an hour for the roll-up",
    )
}
