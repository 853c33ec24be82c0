"""Each journey of a person through the dashboard has a test in a browser."""

from tests.dashboard.journeys.table import JOURNEYS, marked


def test_each_journey_has_a_test_and_each_test_a_journey_that_there_is() -> None:
    assert set(marked()) == set(JOURNEYS)
