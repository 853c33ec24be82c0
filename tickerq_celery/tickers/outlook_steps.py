"""The upcoming instants of a cron ticker, one step after the other, as an outlook shows them."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.schedule.bounds import delay_of
from tickerq_celery.schedule.merging import Step
from tickerq_celery.schedule.shared_instants import NextAfter, SharedInstants
from tickerq_celery.schedule.timetable import Timetable, timetable_of
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.outlook import OutlookItem
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.skip_reasons import who_and_why

_MOMENT = timedelta(microseconds=1)
OVERDUE = "overdue: no beat has created its run yet"
UNCLAIMED = "overdue: no beat has claimed it yet"
NO_WORKER = "overdue: no live worker has its function"
CRON_PAUSED = "held: its cron ticker is paused"
UNREADABLE = "no run follows it: this machine cannot read its expression or its zone"
Steps = Iterator[Step[OutlookItem]]
_NO_DELAY = timedelta(0)
_made_item = constructor(
    OutlookItem,
    [
        *("moment", "run_id", "cron_ticker_id", "kind", "function", "description"),
        *("delay", "pause", "is_held", "is_skipped", "note"),
    ],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookCron:
    """What of a cron ticker says when it fires, without its request and its chain.

    ``next_run_at`` is None of one that waits for the end of a pause, since ``resume_from``.
    """

    id: UUID
    kind: TickerKind
    function: str
    description: str | None
    tags: tuple[str, ...]
    expression: str
    time_zone: str
    day_or: bool
    start_at: datetime | None
    end_at: datetime | None
    max_runs: int | None
    run_count: int
    exclude: tuple[date, ...]
    jitter: timedelta
    next_run_at: datetime | None
    resume_from: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """What of a stored run says when it is due, and what may hold it then."""

    id: UUID
    kind: TickerKind
    function: str
    description: str | None
    tags: tuple[str, ...]
    due_at: datetime
    cron_ticker_id: UUID | None
    is_manual: bool
    is_retry: bool
    is_cron_paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedInstant:
    """An instant to come whose occurrence is stored: one that ``is_skipped``, or that a clock left there."""

    run_id: UUID
    cron: OutlookCron
    instant: datetime
    is_skipped: bool
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """From which moment on is looked, and what time it is."""

    since: datetime
    now: datetime


def pause_words(pause: Pause) -> str:
    """Return what a pause of a function, a tag or everything does to what it covers."""
    what = f"{pause.kind} {pause.name}".rstrip()
    return f"held: {what} is paused{who_and_why(pause.paused_by, pause.reason)}"


def item_of_run(
    run: PlannedRun, pause: Pause | None, now: datetime, *, has_worker: Callable[[str], bool]
) -> OutlookItem:
    """Return a stored run; a ``pause`` does not hold a manual one of a cron ticker.

    ``has_worker`` says whether a live worker has a function; it is asked of what is overdue only.
    """
    pause = None if run.is_manual else pause
    words = [] if pause is None else [pause_words(pause)]
    if run.is_cron_paused:
        words.append(CRON_PAUSED)
    if not words and run.due_at < now:
        # Which worker has a task of Celery's own is not known here.
        is_claimable = run.kind is not TickerKind.FUNCTION or has_worker(run.function)
        words.append(UNCLAIMED if is_claimable else NO_WORKER)
    if run.is_retry:
        words.append("a retry")
    is_held = pause is not None or run.is_cron_paused
    said = (run.due_at, run.id, run.cron_ticker_id, run.kind, run.function, run.description)
    return _made_item(*said, _NO_DELAY, pause, is_held, False, "; ".join(words) or None)


def item_of_skip(skip: SkippedInstant) -> OutlookItem | None:
    """Return a skipped instant; None of one that an edit of the cron ticker's times has taken back."""
    timetable = _timetable(skip.cron)
    if timetable is not None and timetable.latest_at_or_before(skip.instant) != skip.instant:
        return None
    return OutlookItem(
        moment=skip.instant,
        run_id=skip.run_id,
        cron_ticker_id=skip.cron.id,
        kind=skip.cron.kind,
        function=skip.cron.function,
        description=skip.cron.description,
        is_skipped=True,
        note=skip.reason,
    )


def item_of(cron: OutlookCron, instant: datetime, pause: Pause | None, note: str | None) -> OutlookItem:
    """Return an instant for which nothing is stored yet."""
    words = [*([] if pause is None else [pause_words(pause)]), *([] if note is None else [note])]
    delay = delay_of(cron.id, instant, cron.jitter)
    said = (instant, None, cron.id, cron.kind, cron.function, cron.description)
    return _made_item(*said, delay, pause, pause is not None, False, "; ".join(words) or None)


def steps_of(
    cron: OutlookCron,
    horizon: Horizon,
    *,
    pause: Pause | None,
    taken: Collection[datetime],
    instants: SharedInstants,
) -> Steps:
    """Yield the instants of a cron ticker in their order, but those that are ``taken``: they have their run.

    The first one is the one that beat fires next, which may have passed. Where nothing of it is shown yet,
    a step has no item, and the moment from which on it is looked for. The ``instants`` are shared by all cron
    tickers of an answer.
    """
    left = None if cron.max_runs is None else cron.max_runs - cron.run_count
    next_after = instants.next_after(cron)
    for instant in _instants(cron, next_after, horizon, is_counted=left is not None):
        is_here = instant >= horizon.since
        if instant in taken:
            yield Step(max(instant, horizon.since))
            continue
        if left is not None:
            if left <= 0:
                return
            left -= 1
        note = _note(instant, horizon, is_readable=next_after is not None)
        yield Step(max(instant, horizon.since), item_of(cron, instant, pause, note) if is_here else None)


def _timetable(cron: OutlookCron) -> Timetable | None:
    try:
        return timetable_of(cron)
    except TickerValidationError:
        return None


def _note(instant: datetime, horizon: Horizon, *, is_readable: bool) -> str | None:
    if not is_readable:
        return UNREADABLE
    return OVERDUE if instant < horizon.now else None


def _instants(
    cron: OutlookCron, next_after: NextAfter | None, horizon: Horizon, *, is_counted: bool
) -> Iterator[datetime]:
    """Yield its instants from the next one on; those before the horizon only where they are counted."""
    moment = cron.next_run_at
    if moment is None:
        # It fires no instant that has passed: those get one record when the pause ends.
        moment = horizon.now
        if cron.resume_from is not None and cron.resume_from > moment:
            moment = cron.resume_from - _MOMENT
    else:
        yield moment
        moment = max(moment, horizon.now)
    if not is_counted:
        moment = max(moment, horizon.since - _MOMENT)
    while next_after is not None:
        following = next_after(moment)
        if following is None:
            return
        yield following
        moment = following
