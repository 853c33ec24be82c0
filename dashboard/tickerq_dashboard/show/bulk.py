"""What can be done to many runs of a list, and the words for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tickerq_celery.enums import BulkState
from tickerq_celery.views import BulkJob, Count
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.show.words import plural

# Above the first the number is typed; above the second it needs a permission of its own.
TYPED_ABOVE, LARGE_ABOVE, MOST = 100, 1_000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkVerb:
    """An action of bulk jobs: the word of its button, in which lists it makes sense, its shortcut."""

    action: str
    word: str
    permission: Permission
    listings: frozenset[str]
    effect: str
    key: str = ""
    removes: bool = False

    @property
    def undone(self) -> str:
        """The message that nothing was started."""
        return f"Not started to {self.word.lower()}"


BULK_VERBS: tuple[BulkVerb, ...] = (
    BulkVerb(
        action="delete",
        word="Delete",
        permission=Permission.RUNS_DELETE,
        listings=frozenset({"upcoming", "history"}),
        effect="Their attempts, their logs and all that is below them in a chain go too, and nothing brings "
        "them back.",
        removes=True,
    ),
    BulkVerb(
        action="cancel",
        word="Cancel",
        permission=Permission.RUNS_CANCEL,
        listings=frozenset({"active", "upcoming"}),
        effect="Runs that have not started end as Cancelled at once. Runs in progress are asked to end, and "
        "what they have done by then stays done.",
        key="c",
    ),
    BulkVerb(
        action="retry",
        word="Retry",
        permission=Permission.RUNS_RETRY,
        listings=frozenset({"history"}),
        effect="Runs that failed, were cancelled or skipped start again now, with all of their retries; "
        "their attempts so far stay. Runs that are Done are left alone, and so are records of missed "
        "instants: a backfill of their cron ticker runs those.",
        key="r",
    ),
)
BY_ACTION: Mapping[str, BulkVerb] = {each.action: each for each in BULK_VERBS}
STATES: Mapping[BulkState, tuple[str, str]] = {
    BulkState.WAITING: ("queued", "Waiting"),
    BulkState.RUNNING: ("in-progress", "Running"),
    BulkState.DONE: ("done", "Done"),
    BulkState.STOPPED: ("cancelled", "Stopped"),
    BulkState.FAILED: ("failed", "Failed"),
}
_LISTED = {"active": "that are active", "upcoming": "to come", "history": "that have ended"}


def verbs_of(listing: str, may: Callable[[Permission], bool]) -> list[BulkVerb]:
    """Return what one who ``may`` may do to many runs of a list."""
    return [each for each in BULK_VERBS if listing in each.listings and may(each.permission)]


def counted_runs(count: Count) -> str:
    """Return how many runs there are: 1 run, 10,000+ runs."""
    return f"{count} runs" if count.or_more else plural(count.number, "run")


def is_large(count: Count) -> bool:
    """Whether these are, or may be, more runs than everyone may change at once."""
    return count.is_partial or count.number > LARGE_ABOVE


def too_large(count: Count) -> str:
    """Return why one who may not change so many runs at once is refused."""
    return f"{counted_runs(count)} match, and your role may do so to {LARGE_ABOVE:,} at once"


def meant(listing: str, filters: str) -> str:
    """Return which runs of a list are meant by all that match."""
    return f"all runs {_LISTED[listing]}" + (f": {filters}" if filters else "")


def job_look(job: BulkJob) -> tuple[str, str]:
    """Return the css and the word of a job's state."""
    return STATES[job.state]


def job_title(job: BulkJob) -> str:
    """Return what a job does: "Retry runs"; a newer version may do other things."""
    verb = BY_ACTION.get(str(job.action))
    return f"{verb.word if verb else str(job.action).capitalize()} runs"


def job_share(job: BulkJob) -> float | None:
    """Return which part of a job is done; None where it is not known how many runs it will meet."""
    return None if not job.total else min(1.0, (job.changed + job.skipped) / job.total)
