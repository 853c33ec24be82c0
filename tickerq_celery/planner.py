"""What a cron ticker does at a tick: which instants get an occurrence now, and which were missed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tickerq_celery.enums import MisfirePolicy
from tickerq_celery.timetable import Instants

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfire:
    """The instants of one outage that get no occurrence; an inexact ``count`` is the least it can be."""

    first: datetime
    last: datetime
    count: int
    count_is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one look at a cron ticker decides: ``instants``, oldest first, get an occurrence each."""

    instants: tuple[datetime, ...]
    next_run_at: datetime | None
    skipped: Misfire | None


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
    run. Otherwise ``run_once`` runs the latest, ``run_all`` the latest ``misfire_limit``, ``skip`` those
    that are not late themselves. Instants older than ``misfire_grace`` never run, and at most
    ``misfire_limit`` do: one more is looked at, however long the outage was.
    """
    if now < next_run_at:
        return Plan(instants=(), next_run_at=next_run_at, skipped=None)
    recent = _due_newest_first(schedule, next_run_at, now, at_most=misfire_limit + 1)
    running = [at for at in recent[:misfire_limit] if misfire_grace is None or now - at <= misfire_grace]
    if misfire is MisfirePolicy.SKIP or now - next_run_at <= late_after:
        running = [at for at in running if now - at <= late_after]
    elif misfire is MisfirePolicy.RUN_ONCE:
        running = running[:1]
    return Plan(
        instants=tuple(reversed(running)),
        next_run_at=schedule.next_after(now),
        skipped=_misfire(recent[len(running) :], next_run_at),
    )


def within_runs(decided: Plan, *, left: int | None) -> Plan:
    """Return the plan of a cron ticker that has ``left`` runs to go (None: any number); the last ends it.

    Those that are over come after its end: nobody missed them.
    """
    if left is None or len(decided.instants) < left:
        return decided
    return replace(decided, instants=decided.instants[: max(0, left)], next_run_at=None)


def passed(schedule: Instants, *, first: datetime, until: datetime, at_most: int) -> Misfire | None:
    """Return the instants from ``first`` up to ``until``, looking at one more than ``at_most`` of them."""
    if until < first:
        return None
    return _misfire(_due_newest_first(schedule, first, until, at_most=at_most + 1), first)


def left_out(
    schedule: Instants, left: Instants | None, *, first: datetime, until: datetime, at_most: int
) -> Misfire | None:
    """Return those of the instants from ``first`` up to ``until`` that are none of what is ``left``.

    Looks at one more than ``at_most`` of them; where nothing is left, all of them are left out.
    """
    if until < first:
        return None
    recent = _due_newest_first(schedule, first, until, at_most=at_most + 1)
    is_whole = recent[-1] == first
    looked_at = recent if is_whole else [*recent, first]
    out = [at for at in looked_at if left is None or left.latest_at_or_before(at) != at]
    if not out:
        return None
    return Misfire(first=out[-1], last=out[0], count=len(out), count_is_exact=is_whole)


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


def _misfire(skipped: list[datetime], first: datetime) -> Misfire | None:
    if not skipped:
        return None
    counted_all = skipped[-1] == first
    return Misfire(
        first=first,
        last=skipped[0],
        count=len(skipped) if counted_all else len(skipped) + 1,
        count_is_exact=counted_all,
    )
