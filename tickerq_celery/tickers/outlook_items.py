"""The items of an outlook: of stored runs, of skipped instants, and of what a cron ticker will do."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from tickerq_celery.enums import TickerKind
from tickerq_celery.schedule.bounds import delay_of
from tickerq_celery.schedule.shared_timetables import (
    MOMENT,
    Begin,
    OutlookWindow,
    SharedTimetables,
    WindowStarts,
    shortest_gap,
    starts_in,
)
from tickerq_celery.schedule.timetable import Timetable
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.outlook import OutlookItem
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.skip_reasons import who_and_why

OVERDUE = "overdue: no beat has created its run yet"
UNCLAIMED = "overdue: no beat has claimed it yet"
NO_WORKER = "overdue: no live worker has its function"
CRON_PAUSED = "held: its cron ticker is paused"
UNREADABLE = "no run follows it: this machine cannot read its expression or its zone"
_NO_DELAY = timedelta(0)
_made_item = constructor(
    OutlookItem,
    [
        *("moment", "run_id", "cron_ticker_id", "kind", "function", "description"),
        *("delay", "pause", "is_held", "is_skipped", "note"),
        *("starts", "every", "last", "marks"),
    ],
)
_SINGLE = (1, None, None, ())


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
    about = (run.due_at, run.id, run.cron_ticker_id, run.kind, run.function, run.description)
    return _made_item(*about, _NO_DELAY, pause, is_held, False, "; ".join(words) or None, *_SINGLE)


def item_of_skip(skip: SkippedInstant, timetables: SharedTimetables) -> OutlookItem | None:
    """Return a skipped instant; None of one that an edit of the cron ticker's times has taken back."""
    timetable = timetables.of(skip.cron)
    if timetable is not None and not timetable.has(skip.instant):
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
    about = (instant, None, cron.id, cron.kind, cron.function, cron.description)
    how = (delay, pause, pause is not None, False, "; ".join(words) or None)
    return _made_item(*about, *how, *_SINGLE)


def items_of(
    cron: OutlookCron,
    window: OutlookWindow,
    *,
    pause: Pause | None,
    taken: Collection[datetime],
    timetables: SharedTimetables,
) -> list[OutlookItem]:
    """Return what of a cron ticker is to come in a window, but for instants ``taken``: they have their run.

    One that is overdue is an item of its own, as is each of a few starts; more of them are one band.
    """
    first = cron.next_run_at
    if first is not None and first >= window.now and first + shortest_gap(cron.expression) >= window.until:
        is_here = window.since <= first < window.until and first not in taken
        return [item_of(cron, first, pause, None)] if is_here else []
    timetable = timetables.of(cron)
    left = None if cron.max_runs is None else cron.max_runs - cron.run_count
    found = []
    is_alone = first is not None and (first < window.now or timetable is None)
    if first is not None and is_alone and first not in taken and left != 0:
        left = None if left is None else left - 1
        if window.since <= first < window.until:
            found.append(item_of(cron, first, pause, UNREADABLE if timetable is None else OVERDUE))
    if timetable is None:
        return found
    # Others are of times that an edit has taken back.
    taken = {each for each in taken if timetable.has(each)}
    begin = _begin(cron, window.now)
    if left is None and not taken:
        starts = timetables.starts(cron, timetable, begin)
    else:
        if left is not None:
            left = max(0, left - _used_before(timetable, begin.after, window.since, taken))
        starts = starts_in(timetable, window, begin, taken=taken, left=left)
    if starts.is_band:
        return [*found, _band_of(cron, starts, pause)]
    return [*found, *(item_of(cron, moment, pause, None) for moment in starts.moments)]


def _begin(cron: OutlookCron, now: datetime) -> Begin:
    """Return where its starts begin, but for one that is overdue."""
    if cron.next_run_at is not None:
        is_overdue = cron.next_run_at < now
        return Begin(now) if is_overdue else Begin(cron.next_run_at - MOMENT, first=cron.next_run_at)
    # It fires no instant that has passed: those get one record when the pause ends.
    return Begin(now if cron.resume_from is None else max(now, cron.resume_from - MOMENT))


def _used_before(timetable: Timetable, after: datetime, since: datetime, taken: Collection[datetime]) -> int:
    """Return how many runs it makes before a window."""
    return timetable.count(after + MOMENT, since) - sum(1 for each in taken if after < each < since)


def _band_of(cron: OutlookCron, starts: WindowStarts, pause: Pause | None) -> OutlookItem:
    words = None if pause is None else pause_words(pause)
    about = (starts.moments[0], None, cron.id, cron.kind, cron.function, cron.description)
    how = (_NO_DELAY, pause, pause is not None, False, words)
    return _made_item(*about, *how, starts.count, starts.every, starts.last, starts.marks)
