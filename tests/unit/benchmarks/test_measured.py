"""What a run measured, and how it gets from the process of a measure to the one that compares."""

import json

import pytest

from benchmarks import one
from benchmarks.measured import Measured, Unit, delays, rate


def test_a_rate_counts_what_arrived() -> None:
    assert rate("ours", "dispatched", count=300, seconds=2.0) == Measured(
        subject="ours", quantity="dispatched", value=150.0, unit=Unit.PER_SECOND, count=300
    )


def test_percentiles_are_delays_that_were_seen() -> None:
    measured = delays("ours", [float(each) for each in range(100, 0, -1)], case="100 a second")
    assert {each.quantity: each.value for each in measured} == {"p50": 50.0, "p99": 99.0, "max": 100.0}
    assert {(each.unit, each.case, each.count) for each in measured} == {("ms", "100 a second", 100)}


def test_of_one_delay_each_percentile_is_that_one() -> None:
    assert [each.value for each in delays("ours", [7.0])] == [7.0, 7.0, 7.0]


@pytest.mark.parametrize(("unit", "more_is_better"), [(Unit.PER_SECOND, True), (Unit.MILLISECONDS, False)])
def test_more_is_better_of_rates_only(unit: Unit, more_is_better: bool) -> None:
    assert unit.more_is_better is more_is_better


def measure(*, count: int) -> tuple[Measured, ...]:
    return (rate("ours", "added", count=count, seconds=1.0),)


def test_one_prints_what_a_measure_returns(capsys: pytest.CaptureFixture[str]) -> None:
    one.main(f"{__name__}:measure", '{"count": 5}')
    [printed] = json.loads(capsys.readouterr().out)
    assert Measured(**{**printed, "unit": Unit(printed["unit"])}) == measure(count=5)[0]
