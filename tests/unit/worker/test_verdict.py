from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import Ignore, MaxRetriesExceededError, Reject, Retry

from tests.inner import Standing
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import TerminateExecution, TickerCancelled, TickerValidationError
from tickerq_celery.tickers.retry_policy import RetryPolicy
from tickerq_celery.worker.verdict import Verdict, celery_exception, retry_asked_for, verdict_on

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
STANDING = Standing(
    retry_count=1,
    rescue_count=1,
    is_late=False,
    policy=RetryPolicy(limit=2, intervals=[timedelta(minutes=1)]),
)
FAILED, IDLE, SKIPPED = TickerStatus.FAILED, TickerStatus.IDLE, TickerStatus.SKIPPED


def judge(error: Exception, *, max_rescues: int = 3) -> Verdict:
    return verdict_on(error, STANDING, now=NOON, max_rescues=max_rescues)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ({}, timedelta(minutes=1)),
        ({"countdown": 5}, timedelta(seconds=5)),
        ({"countdown": 0}, timedelta(0)),
        ({"countdown": -5}, timedelta(0)),
        ({"eta": NOON + timedelta(hours=2)}, timedelta(hours=2)),
        ({"eta": NOON - timedelta(hours=2)}, timedelta(0)),
    ],
)
def test_a_retry_waits_as_it_was_asked(asked: dict[str, object], wait: timedelta) -> None:
    error = OSError("no route")
    verdict = judge(retry_asked_for({"exc": error, **asked}, now=NOON))
    assert (verdict.error, verdict.is_accident) == (error, True)
    assert (verdict.outcome.status, verdict.outcome.wait, verdict.outcome.retry_count) == (IDLE, wait, 2)


@pytest.mark.parametrize(("most", "status"), [(None, IDLE), (1, FAILED), (0, FAILED), (2, IDLE), (5, IDLE)])
def test_max_retries_overrides_the_tickers_own(most: int | None, status: TickerStatus) -> None:
    assert judge(retry_asked_for({"max_retries": most}, now=NOON)).outcome.status is status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("countdown", 1e12),
        ("countdown", float("inf")),
        ("countdown", float("nan")),
        ("countdown", "soon"),
        ("eta", NOON + timedelta(days=31)),
        ("eta", "tomorrow"),
        ("eta", NOON.replace(tzinfo=None)),
        ("max_retries", "3"),
        ("max_retries", -1),
    ],
)
def test_a_retry_that_could_not_be_stored_is_refused_by_its_argument(field: str, value: object) -> None:
    with pytest.raises(TickerValidationError, match=f"^{field}: "):
        retry_asked_for({field: value}, now=NOON)


@pytest.mark.parametrize(
    ("when", "wait"),
    [
        (1e12, timedelta(days=30)),
        (float("inf"), timedelta(days=30)),
        (float("nan"), timedelta(minutes=1)),
        ("soon", timedelta(minutes=1)),
        (NOON + timedelta(days=3650), timedelta(days=30)),
    ],
)
def test_a_retry_that_a_function_made_itself_waits_no_longer_than_can_be_stored(
    when: object, wait: timedelta
) -> None:
    assert judge(Retry(when=when)).outcome.wait == wait


@pytest.mark.parametrize(("given", "text"), [(5, "5"), (OSError("no route"), "no route"), (None, "None")])
def test_whatever_ends_a_run_its_text_is_the_reason(given: object, text: str) -> None:
    assert judge(TerminateExecution(given)).outcome.skipped_reason == text


def test_ignore_ends_the_run_without_a_retry_and_calls_no_handler() -> None:
    verdict = judge(Ignore("not mine"))
    assert (verdict.outcome.status, verdict.outcome.skipped_reason) == (SKIPPED, "not mine")
    assert not verdict.is_accident
    assert judge(Ignore()).outcome.skipped_reason == "Ignore"
    assert isinstance(celery_exception(verdict.error, verdict.outcome), Ignore)


def test_reject_fails_the_run_without_a_retry() -> None:
    error = Reject("malformed", requeue=False)
    verdict = judge(error)
    assert (verdict.outcome.status, verdict.outcome.retry_count, verdict.is_accident) == (FAILED, 1, False)
    assert verdict.outcome.failure is not None
    assert "malformed" in verdict.outcome.failure.message
    assert celery_exception(error, verdict.outcome) is error


def test_reject_with_requeue_starts_the_run_again_until_its_rescues_are_used_up() -> None:
    again = judge(Reject("busy", requeue=True)).outcome
    assert (again.status, again.wait, again.retry_count, again.rescue_count) == (IDLE, timedelta(0), 1, 2)
    assert judge(Reject("busy", requeue=True), max_rescues=1).outcome.status is FAILED


def test_celery_is_notified_of_a_retry_and_of_the_last_failure() -> None:
    error = OSError("no route")
    raised = celery_exception(error, judge(error).outcome)
    assert isinstance(raised, Retry)
    assert (raised.exc, raised.when) == (error, 60)
    last = judge(retry_asked_for({"max_retries": 0}, now=NOON))
    assert isinstance(celery_exception(last.error, last.outcome), MaxRetriesExceededError)


@pytest.mark.parametrize(
    ("error", "status", "is_accident"),
    [
        (TerminateExecution("enough"), SKIPPED, False),
        (TerminateExecution("enough", status=TickerStatus.DONE), TickerStatus.DONE, False),
        (TerminateExecution(status=TickerStatus.CANCELLED, message="x"), TickerStatus.CANCELLED, False),
        (TickerCancelled(), TickerStatus.CANCELLED, True),
    ],
)
def test_a_function_decides_its_own_end(error: Exception, status: TickerStatus, is_accident: bool) -> None:
    verdict = judge(error)
    assert (verdict.outcome.status, verdict.is_accident) == (status, is_accident)
    assert isinstance(celery_exception(error, verdict.outcome), Ignore)
