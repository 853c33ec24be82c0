"""What can be done to one run."""

from tickerq_celery import Run, TickerStatus, TickerType
from tickerq_celery.enums import CLAIMED, RETRIABLE, UNENDED, UNSTARTED, HoldReason, Origin
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.commands.command import Terminate
from tickerq_dashboard.show.actions import Action
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.words import is_call


def _retries(run: Run, clock: Clock) -> str:
    return "It starts again now, with all of its retries. Its attempts so far stay, and their numbers go on."


def _cancels(run: Run, clock: Clock) -> str:
    if run.status in UNSTARTED:
        return "It has not started, so nothing is half done. It ends as Cancelled at once."
    return (
        "It runs: it is asked to end, and is Cancelled once its function checks for that. "
        "What it has done by then stays done."
    )


def _runs_now(run: Run, clock: Clock) -> str:
    if run.held_for is not None:
        return "It is due now, and starts once nothing holds it."
    planned = run.next_attempt_at or run.execution_time
    instead = "" if planned is None else f" instead of at {clock.single(planned)}"
    return f"It starts now{instead}."


def _releases(run: Run, clock: Clock) -> str:
    return (
        "It starts again now, from its beginning: what its lost attempt has done stays done. "
        "That attempt uses up no retry. It is refused while its worker shows signs of life."
    )


def _fails(run: Run, clock: Clock) -> str:
    return (
        "It ends as Failed, and what runs on failure in its chain starts. "
        "It is refused while its worker shows signs of life."
    )


def _terminates(run: Run, clock: Clock) -> str:
    node = f" of {run.node}" if run.node else ""
    return (
        f"The process{node} that runs it is killed: by SIGTERM, then by SIGKILL if it is still there. It "
        "is Cancelled, and not retried. What it has written stays, what it holds open is lost, and its own "
        "clean-up may not run. Only a prefork pool can do so: with threads or solo it is asked to end, as by "
        "Cancel."
    )


def _deletes(run: Run, clock: Clock) -> str:
    gone = (
        "Its attempts, its log and all that is below it in its chain go with it, and nothing brings it back."
    )
    return f"It will not run. {gone}" if run.status is TickerStatus.IDLE else gone


TERMINATE: Action[Run] = Action(
    slug="terminate",
    verb="runs.cancel",
    word="Terminate run",
    done="Terminated",
    permission=Permission.RUNS_TERMINATE,
    fits=lambda run: run.status is TickerStatus.IN_PROGRESS and not is_call(run),
    effect=_terminates,
    about="Kills the process of a run in progress, once the name of its function is typed. Only a "
    "prefork pool can.",
    keep="Let it run",
    command=Terminate,
    kills=True,
    typed=lambda run: run.function,
)
RUN_ACTIONS: tuple[Action[Run], ...] = (
    Action(
        slug="delete",
        verb="runs.delete",
        word="Delete run",
        done="Deleted",
        permission=Permission.RUNS_DELETE,
        fits=lambda run: run.status not in CLAIMED,
        effect=_deletes,
        about="Removes a run that waits or has ended, with its attempts, its log and all below it in "
        "its chain.",
        removes=True,
    ),
    TERMINATE,
    Action(
        slug="cancel",
        verb="runs.cancel",
        word="Cancel run",
        done="Cancelled",
        permission=Permission.RUNS_CANCEL,
        fits=lambda run: run.status in UNENDED and not run.cancel_requested,
        effect=_cancels,
        key="c",
        about="Ends a run that waits at once; asks one in progress to end.",
    ),
    Action(
        slug="mark-failed",
        verb="runs.mark_failed",
        word="Mark run as failed",
        done="Marked as failed",
        permission=Permission.RUNS_MARK_FAILED,
        fits=lambda run: run.status is TickerStatus.IN_PROGRESS,
        effect=_fails,
        about="Ends a run in progress as Failed. It is refused while its worker shows signs of life.",
        keep="Leave it",
    ),
    Action(
        slug="release",
        verb="runs.release",
        word="Release run",
        done="Released",
        permission=Permission.RUNS_RELEASE,
        fits=lambda run: run.status is TickerStatus.IN_PROGRESS,
        effect=_releases,
        about="Starts a run in progress again. It is refused while its worker shows signs of life.",
        keep="Leave it",
    ),
    Action(
        slug="run-now",
        verb="time_tickers.run_now",
        word="Run now",
        done="Started ahead of its time",
        permission=Permission.RUNS_RETRY,
        fits=lambda run: (
            run.type is TickerType.TIME_TICKER
            and run.status is TickerStatus.IDLE
            and run.held_for is not HoldReason.PARENT
        ),
        effect=_runs_now,
        about="Starts a time ticker that waits for its moment, now.",
        asks=False,
        is_main=True,
        keep="Leave it",
    ),
    Action(
        slug="retry",
        verb="runs.retry",
        word="Retry run",
        done="Retried",
        permission=Permission.RUNS_RETRY,
        fits=lambda run: run.status in RETRIABLE and run.origin is not Origin.MISFIRE,
        effect=_retries,
        key="r",
        about="Starts a run that is Failed, Cancelled or Skipped again, with all of its retries.",
        asks=False,
        is_main=True,
        keep="Leave it",
    ),
)
# What only helps a run whose worker is silent.
FOR_LOST_RUNS = {"release", "mark-failed"}
