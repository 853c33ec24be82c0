"""Celery's beat with any of its schedulers: how fast it publishes what is due, and what idle ticks cost."""

import statistics
import time
from datetime import UTC, datetime, timedelta

from celery import Celery, signals
from celery.beat import Scheduler, Service

from benchmarks.measured import Measured, Unit, rate
from benchmarks.peers.celery_app import arrived, wait_for_arrival

EVERY_SECONDS = 3600
IDLE_TICKS = 50


def last_run(*, is_due: bool) -> datetime:
    """Return when the schedules ran last: so that all are due at once, or none for a long time."""
    now = datetime.now(UTC)
    return now - timedelta(seconds=2 * EVERY_SECONDS) if is_due else now


def started(app: Celery, scheduler_cls: type[Scheduler]) -> Scheduler:
    """Return the scheduler of a beat that is set up and has not ticked yet."""
    service = Service(app=app, scheduler_cls=scheduler_cls)
    scheduler: Scheduler = service.scheduler
    signals.beat_init.send(sender=service)
    return scheduler


def dispatch(subject: str, app: Celery, scheduler: Scheduler, count: int) -> tuple[Measured, ...]:
    """Tick as beat does until nothing is due; what follows the last message is not counted."""
    began = time.perf_counter()
    while scheduler.tick() == 0 or arrived(app) < count:
        pass
    seconds = time.perf_counter() - began
    there = wait_for_arrival(app, count)
    return (rate(subject, "dispatched", count=there, seconds=seconds, case="Redis"),)


def idle_tick(subject: str, scheduler: Scheduler, count: int, store: str) -> tuple[Measured, ...]:
    """Return the median of ticks in a row in which nothing is due."""
    scheduler.tick()
    took = []
    for _ in range(IDLE_TICKS):
        began = time.perf_counter()
        scheduler.tick()
        took.append((time.perf_counter() - began) * 1000)
    case = f"{store}, beside {count:,} schedules"
    value = statistics.median(took)
    return (Measured(subject=subject, quantity="idle tick", value=value, unit=Unit.MILLISECONDS, case=case),)
