"""What can be done to a chain as a whole."""

from tickerq_celery import TickerStatus
from tickerq_celery.enums import TERMINAL, TickerKind
from tickerq_celery.views import ChainTree, RunSummary
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.show.actions import Action
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.words import plural


def _failed(chain: ChainTree) -> int:
    return sum(each.run.status is TickerStatus.FAILED for each in chain.runs)


def _can_end(run: RunSummary) -> bool:
    """Whether a run can be cancelled, or asked to end: a Celery task that runs cannot be."""
    if run.status is TickerStatus.IN_PROGRESS:
        return run.kind is not TickerKind.CELERY_TASK and not run.cancel_requested
    return run.status not in TERMINAL


def _retries(chain: ChainTree, clock: Clock) -> str:
    return (
        f"{plural(_failed(chain), 'failed run starts', 'failed runs start')} again, with all retries: now, "
        "or after the parent where that starts again too. What was skipped because of a failure waits again. "
        "What is Done or Cancelled, and all attempts so far, stay."
    )


def _cancels(chain: ChainTree, clock: Clock) -> str:
    left = [each.run for each in chain.runs if _can_end(each.run)]
    running = sum(run.status is TickerStatus.IN_PROGRESS for run in left)
    parts = []
    if len(left) > running:
        parts.append(f"{plural(len(left) - running, 'run has', 'runs have')} not started and will not.")
    if running:
        asked = plural(running, "run is", "runs are")
        parts.append(f"{asked} in progress, and asked to end: what is done by then stays done.")
    return " ".join([*parts, "What has ended stays as it is."])


CHAIN_ACTIONS: tuple[Action[ChainTree], ...] = (
    Action(
        slug="cancel-rest",
        verb="chains.cancel_rest",
        word="Cancel the rest",
        done="Cancelled",
        permission=Permission.RUNS_CANCEL,
        fits=lambda chain: any(_can_end(each.run) for each in chain.runs),
        effect=_cancels,
        about="Ends all of a chain that has not started, and asks what is in progress to end.",
        keep="Let it run",
    ),
    Action(
        slug="retry-failed",
        verb="chains.retry_failed",
        word="Retry what failed",
        done="Retried",
        permission=Permission.RUNS_RETRY,
        fits=lambda chain: _failed(chain) > 0,
        effect=_retries,
        about="Starts the failed runs of a chain again, and lets what was skipped for them wait again.",
        is_main=True,
        keep="Leave it",
    ),
)
