"""Why a child was skipped, as a person says it."""

import pytest

from tests.inner import unmet_reason
from tickerq_celery import RunCondition, TickerStatus
from tickerq_celery.enums import TERMINAL
from tickerq_dashboard.show.reasons import reason_words


@pytest.mark.parametrize(
    ("condition", "parent", "said"),
    [
        (RunCondition.ON_SUCCESS, TickerStatus.FAILED, "Its parent failed; it runs on success"),
        (RunCondition.ON_SUCCESS, TickerStatus.CANCELLED, "Its parent was cancelled; it runs on success"),
        (RunCondition.ON_FAILURE, TickerStatus.DUE_DONE, "Its parent succeeded; it runs on failure"),
        (RunCondition.ON_CANCELLED, TickerStatus.DONE, "Its parent succeeded; it runs if cancelled"),
        (
            RunCondition.ON_FAILURE_OR_CANCELLED,
            TickerStatus.DONE,
            "Its parent succeeded; it runs on failure or if cancelled",
        ),
        (
            RunCondition.IN_PROGRESS,
            TickerStatus.CANCELLED,
            "Its parent was cancelled; it runs once its parent starts",
        ),
        (None, TickerStatus.SKIPPED, "Its parent was skipped, so it was skipped as well"),
    ],
)
def test_a_condition_that_was_not_met_is_said_as_a_person_does(
    condition: RunCondition | None, parent: TickerStatus, said: str
) -> None:
    assert reason_words(unmet_reason(condition, parent)) == said


@pytest.mark.parametrize("parent", sorted(TERMINAL))
@pytest.mark.parametrize("condition", [None, *RunCondition])
def test_no_reason_of_a_chain_is_left_as_it_is_stored(
    condition: RunCondition | None, parent: TickerStatus
) -> None:
    assert "RunCondition" not in reason_words(unmet_reason(condition, parent))


@pytest.mark.parametrize(
    "reason", ["", "cancelled by ben: wrong segment", "Rule RunCondition did not match!"]
)
def test_another_reason_stays_as_it_is(reason: str) -> None:
    assert reason_words(reason) == reason
