"""What a time ticker of a form will do: when it runs, how often it is tried, and what follows it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tickerq_celery.enums import HoldReason
from tickerq_dashboard.forms.facts import Fact, facts_of
from tickerq_dashboard.forms.run_fields import Purpose, RunReading
from tickerq_dashboard.forms.state import FormState
from tickerq_dashboard.reading.named import Named
from tickerq_dashboard.show.durations import duration
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.words import intervals, plural

_USUAL_WAIT = (timedelta(seconds=30),)
_MOST_ADDED = 1_000
_FARTHEST = timedelta(days=36_500)


def run_facts(state: FormState, reading: RunReading, found: Named, clock: Clock) -> Iterator[Fact]:
    """Yield what will happen, in the order in which it does."""
    start, wanted = _start(reading, clock), reading.values.get("execution_time")
    if isinstance(wanted, datetime) and wanted < clock.now and start is not None:
        words = f"{clock.whole(wanted)} is in the past, {clock.distance(wanted)}: it runs now."
        yield Fact(css="warn", words=words)
    elif start is not None:
        yield Fact(css="info", words=_starts(reading, start, clock))
    elif reading.run is not None and reading.run.held_for is HoldReason.PARENT:
        yield Fact(css="info", words="It runs after its parent, if that ends as its condition says.")
    if found.name:
        yield from facts_of(found)
    yield from _retries(reading, found, start, clock)
    key = reading.values.get("unique_key")
    if key:
        yield Fact(css="info", words=f"Until it has ended, no other run with the key {key} is taken.")
    following = sum(each.size for each in state.chain)
    if following:
        wait, them = ("waits", "it") if following == 1 else ("wait", "them")
        words = f"{plural(following, 'run')} of its chain {wait} for it; the tree below has {them}."
        yield Fact(css="info", words=words)
    if reading.purpose is Purpose.EDIT:
        yield Fact(css="info", words="It is changed only if it has not been claimed by then.")


def _start(reading: RunReading, clock: Clock) -> datetime | None:
    """Return when it starts; None where its moment cannot be read, or it has none."""
    values, run = reading.values, reading.run
    if {"at", "pass", "delay"} & reading.errors.keys():
        return None
    delay: Any = values.get("delay")
    if isinstance(delay, timedelta):
        return clock.now + delay if delay <= _FARTHEST else None
    if "execution_time" in values or run is None or reading.is_anew:
        wanted: datetime | None = values.get("execution_time")
        return clock.now if wanted is None else max(wanted, clock.now)
    if run.held_for is HoldReason.PARENT:
        return None
    return max(run.execution_time or clock.now, clock.now)


def _starts(reading: RunReading, start: datetime, clock: Clock) -> str:
    if start <= clock.now:
        return "It runs now, as soon as a worker is free."
    return f"It runs at {clock.whole(start)}, {clock.distance(start)}."


def _retries(reading: RunReading, found: Named, start: datetime | None, clock: Clock) -> Iterator[Fact]:
    values, run, view = reading.values, reading.run, found.view
    if found.is_task:
        yield Fact(css="info", words="If it fails, Celery retries it as its task says.")
        return
    own: Any = run if run is not None else view
    count = values.get("retries", None if own is None else own.retries)
    waits = values.get("retry_intervals") or (None if own is None else own.retry_intervals) or _USUAL_WAIT
    if count is None or not str(count).isdecimal():
        return
    times = int(str(count)[:5])
    if not times:
        yield Fact(css="info", words="If it fails, it is not tried again.")
        return
    last = sum(
        (min(waits[min(at, len(waits) - 1)], _FARTHEST) for at in range(min(times, _MOST_ADDED))),
        timedelta(0),
    )
    until = (
        "" if start is None else f", the last time {duration(last)} after the first failure at the earliest"
    )
    words = f"If it fails, it is tried {plural(times, 'more time')}: after {intervals(waits)}{until}."
    yield Fact(css="info", words=words)
