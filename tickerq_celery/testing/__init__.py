"""A kit for applications' tests: their own TickerQ on a store of the test's, without broker or processes."""

from tickerq_celery.testing.beat import TooManyRunsError
from tickerq_celery.testing.clock import MovableClock
from tickerq_celery.testing.kit import TickerQTest
from tickerq_celery.testing.stores import create_schema
from tickerq_celery.testing.taking_over import take_over

__all__ = ["MovableClock", "TickerQTest", "TooManyRunsError", "create_schema", "take_over"]
