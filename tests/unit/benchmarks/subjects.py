"""Subjects that measure nothing, for tests of what runs them."""

import sys
import threading

from benchmarks.measured import Measured, rate


def works(*, count: int) -> tuple[Measured, ...]:
    print("what a subject prints is not what it measured")
    return (rate("tickerq-celery", "done", count=count, seconds=1.0),)


def fails(*, count: int) -> tuple[Measured, ...]:
    raise LookupError("there is no such thing")


def hangs(*, count: int) -> tuple[Measured, ...]:
    threading.Event().wait()
    raise AssertionError


def exits(*, count: int) -> tuple[Measured, ...]:
    sys.exit(3)
