"""The functions that run, and how their bodies end."""

from enum import Enum

from tests.inner import Failure, Outcome, Registry, Started, outcome_of, succeeded
from tests.integration.conftest import send
from tickerq_celery.enums import OnLost, TickerStatus
from tickerq_celery.errors import TerminateExecution, TickerCancelled

PLAIN, SINGLE, FRAIL = "Plain", "Single", "Frail"
ALL_FUNCTIONS = (PLAIN, SINGLE, FRAIL)
LIMITS = {SINGLE: 1}
# A task of Celery's, of which workers report what becomes of its calls.
TASK = "shop.add"
# Of one function's runs with the same concurrency key.
SLOTS_OF_A_KEY = 1
# What uses up a retry: the body's own failure, and its time limit.
BROKEN = "ValueError"
TIMED_OUT = "billiard.exceptions.TimeLimitExceeded"
RETRIED = frozenset({BROKEN, TIMED_OUT})


def registry_of(*names: str) -> Registry:
    """Return a registry with some of the functions."""
    registry = Registry()
    for name in names:
        on_lost = OnLost.FAIL if name == FRAIL else OnLost.RETRY
        registry.add(
            send(
                name,
                max_concurrency=LIMITS.get(name),
                on_lost=on_lost,
                max_concurrency_per_key=SLOTS_OF_A_KEY,
            )
        )
    return registry


class End(Enum):
    """How a body ends by itself."""

    SUCCEEDS = None
    FAILS = ValueError("broken")
    IS_CANCELLED = TickerCancelled()
    SKIPS = TerminateExecution("nothing to do")
    GIVES_UP = TerminateExecution("hopeless", TickerStatus.FAILED)

    def __repr__(self) -> str:
        return f"End.{self.name}"

    def outcome(self, run: Started) -> Outcome:
        """Return what a worker writes for it."""
        if self.value is None:
            return succeeded(run.standing)
        return outcome_of(
            self.value, Failure(type=type(self.value).__name__, message="said so"), run.standing
        )

    def status(self, *, is_late: bool, retries_left: int) -> TickerStatus:
        """Return the status that the run must have then."""
        if self is End.SUCCEEDS:
            return TickerStatus.DUE_DONE if is_late else TickerStatus.DONE
        if self is End.FAILS:
            return TickerStatus.IDLE if retries_left else TickerStatus.FAILED
        return {
            End.IS_CANCELLED: TickerStatus.CANCELLED,
            End.SKIPS: TickerStatus.SKIPPED,
            End.GIVES_UP: TickerStatus.FAILED,
        }[self]
