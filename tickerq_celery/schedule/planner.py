"""What a cron ticker does at a tick: which instants get an occurrence now, and which were missed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tickerq_celery.enums import MisfirePolicy
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.schedule.timetable import Instants
from tickerq_celery.wording import moment

MOST_INSTANTS = 10_000
# Up to now is the past, also where the caller's clock is a little before the store's.
_SLACK = timedelta(seconds=1)
_MOMENT = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_MOST_ON_TIME = 1_000


def instants_between(schedule: Instants, start: datetime, end: datetime, *, now: datetime) -> list[datetime]:
    """Return the instants from ``start`` on and before ``end``.

    Raises:
        TickerValidationError: The range is empty or not over yet, or holds more than 10,000 instants.
    """
    if end > now + _SLACK:
        raise TickerValidationError("end", end, f"only the past can be backfilled, it is {moment(now)}")
    end = min(end, now)
    if start >= end:
        raise TickerValidationError("start", start, f"pass a moment before the end, {moment(end)}")
    found: list[datetime] = []
    latest = schedule.latest_at_or_before(start)
    instant = start if latest == start else schedule.next_after(start)
    while instant is not None and instant < end:
        found.append(instant)
        if len(found) > MOST_INSTANTS:
            reason = f"more than {MOST_INSTANTS} instants from {moment(start)}: backfill it in parts"
            raise TickerValidationError("end", end, reason)
        instant = schedule.next_after(instant)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfire:
    """The instants of one outage, from the first to the last; an inexact ``count`` is the least it can be.

    Some of them may have an occurrence all the same, as a backfill can create it at any time.
    """

    first: datetime
    last: datetime
    count: int
    count_is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one look at a cron ticker decides: ``instants``, oldest first, get an occurrence each.

    A part of a catch-up has more to come: those from ``next_run_at`` up to ``catch_up_until`` run, too.
    """

    instants: tuple[datetime, ...]
    next_run_at: datetime | None
    skipped: Misfire | None
    catch_up_until: datetime | None = None


def plan(
    schedule: Instants,
    *,
    next_run_at: datetime,
    now: datetime,
    late_after: timedelta,
    misfire: MisfirePolicy,
    misfire_limit: int,
    misfire_grace: timedelta | None,
) -> Plan:
    """Decide about the instants from ``next_run_at`` up to ``now``; the plan's next one is always later.

    ``next_run_at`` is taken at its word. While it is not late, there was no outage and all due instants
    run, also more than ``misfire_limit``: there are no more of them than ``late_after`` has seconds, but
    for its first moment, and at most 1,000 run. Otherwise ``run_once`` runs the latest, ``run_all`` the
    latest ``misfire_limit``, ``skip`` those that are not late themselves. Instants older than
    ``misfire_grace`` never run, and after an outage at most ``misfire_limit`` do: one more is looked at,
    however long the outage was.
    """
    if now < next_run_at:
        return Plan(instants=(), next_run_at=next_run_at, skipped=None)
    is_on_time = now - next_run_at <= late_after
    most = misfire_limit
    if is_on_time:
        most = max(most, min(late_after // _SECOND + 1, _MOST_ON_TIME))
    recent = _due_newest_first(schedule, next_run_at, now, at_most=most + 1)
    running = [at for at in recent[:most] if misfire_grace is None or now - at <= misfire_grace]
    if misfire is MisfirePolicy.SKIP or is_on_time:
        running = [at for at in running if now - at <= late_after]
    elif misfire is MisfirePolicy.RUN_ONCE:
        running = running[:1]
    return Plan(
        instants=tuple(reversed(running)),
        next_run_at=schedule.next_after(now),
        skipped=_misfire(recent[len(running) :], next_run_at),
    )


def first_part(decided: Plan, *, most: int, now: datetime) -> Plan:
    """Return what of a plan that was made ``now`` is stored at once: its first ``most`` instants."""
    if len(decided.instants) <= most:
        return decided
    return replace(
        decided,
        instants=decided.instants[:most],
        next_run_at=decided.instants[most],
        catch_up_until=now,
    )


def next_part(schedule: Instants, *, next_run_at: datetime, until: datetime, most: int) -> Plan:
    """Return the next ``most`` instants of a catch-up, which goes ``until`` the moment it was decided at.

    What was decided then is not decided anew: the instants have grown older since, and more have passed.
    """
    instants: list[datetime] = []
    following: datetime | None = next_run_at
    while following is not None and following <= until:
        if len(instants) == most:
            return Plan(instants=tuple(instants), next_run_at=following, skipped=None, catch_up_until=until)
        instants.append(following)
        following = schedule.next_after(following)
    return Plan(instants=tuple(instants), next_run_at=following, skipped=None)


def within_runs(decided: Plan, *, left: int | None) -> Plan:
    """Return the plan of a cron ticker that has ``left`` runs to go (None: any number); the last ends it.

    Instants beyond that come after its end, and are no misfires.
    """
    if left is None or len(decided.instants) < left:
        return decided
    return replace(decided, instants=decided.instants[: max(0, left)], next_run_at=None, catch_up_until=None)


def passed(schedule: Instants, *, first: datetime, until: datetime, at_most: int) -> Misfire | None:
    """Return the instants from ``first`` up to ``until``, looking at one more than ``at_most`` of them."""
    if until < first:
        return None
    return _misfire(_due_newest_first(schedule, first, until, at_most=at_most + 1), first)


def left_out(
    schedule: Instants,
    left: Instants | None,
    *,
    first: datetime,
    until: datetime,
    at_most: int,
    edges: Sequence[datetime] = (),
) -> Misfire | None:
    """Return those of the instants from ``first`` up to ``until`` that are none of what is ``left``.

    Looks at one more than ``at_most`` of them. Where there are more, it looks at ``first``, too, and on
    both sides of the ``edges``, the moments at which what is left may begin or cease to differ: so the
    first and the last that are left out are found however far apart they lie, and None says that none is.
    Where nothing is left, all of them are left out.
    """
    if until < first:
        return None
    recent = _due_newest_first(schedule, first, until, at_most=at_most + 1)
    is_whole = recent[-1] == first
    looked_at = {*recent, first}
    if not is_whole:
        looked_at |= {at for at in _beside(schedule, edges) if first < at <= until}
    out = sorted(at for at in looked_at if left is None or left.latest_at_or_before(at) != at)
    return Misfire(first=out[0], last=out[-1], count=len(out), count_is_exact=is_whole) if out else None


def _beside(schedule: Instants, edges: Sequence[datetime]) -> list[datetime]:
    around = [
        at
        for edge in edges
        for at in (schedule.latest_at_or_before(edge - _MOMENT), schedule.next_after(edge - _MOMENT))
    ]
    return [at for at in around if at is not None]


def _due_newest_first(schedule: Instants, first: datetime, now: datetime, *, at_most: int) -> list[datetime]:
    due: list[datetime] = []
    moment = now
    for _ in range(at_most):
        instant = schedule.latest_at_or_before(moment)
        if instant is None or instant <= first:
            return [*due, first]
        due.append(instant)
        moment = instant - _MOMENT
    return due


def _misfire(newest_first: Sequence[datetime], first: datetime) -> Misfire | None:
    if not newest_first:
        return None
    is_whole = newest_first[-1] == first
    return Misfire(
        first=first,
        last=newest_first[0],
        count=len(newest_first) if is_whole else len(newest_first) + 1,
        count_is_exact=is_whole,
    )
