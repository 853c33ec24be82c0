"""Findings about runs that were asked to end, and are in progress still."""

from collections.abc import Iterator, Sequence

from tickerq_celery.health.findings import capped, warning
from tickerq_celery.store.health.unheeded_cancels import UnheededCancel
from tickerq_celery.tickers.claims import CancelRequest
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.wording import moment


def of_cancels(cancels: Sequence[UnheededCancel]) -> Iterator[Finding]:
    """Yield the runs whose function does not check for a cancel, or whose process was not killed."""
    yield from capped([_unheeded(each) for each in cancels], "runs that were asked to end and have not")


def _unheeded(its: UnheededCancel) -> Finding:
    on = f" on {its.node}" if its.node else ""
    if its.asked is CancelRequest.END:
        asked = "was asked to end"
        remedy = (
            f"`tickerq cancel --terminate {its.id}` kills its process, where its pool is prefork; its "
            "function ends by itself where it calls `context.raise_if_cancelled()`"
        )
    else:
        asked = "was to be killed"
        remedy = "only a prefork pool has a process to kill, and a worker that answers: restart its worker"
    return warning(
        FindingCode.CANCEL_UNHEEDED,
        f"{its.function} {asked} at {moment(its.asked_at)}, and is in progress{on} still",
        subject=Subject(SubjectKind.RUN, its.function, its.id),
        since=its.asked_at,
        remedy=remedy,
    )
