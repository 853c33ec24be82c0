"""The arithmetic of the report: medians, ratios of the same round, and what is compared with what."""

import pytest

from benchmarks.measured import Measured, Unit
from benchmarks.outcomes import Round
from benchmarks.summary import Key, comparisons, figures, ratio

OURS, PEER = Key("done", "Redis", "ours"), Key("done", "Redis", "peer")


def measured(key: Key, value: float, unit: Unit = Unit.PER_SECOND, count: int = 0) -> Measured:
    return Measured(
        subject=key.subject, quantity=key.quantity, value=value, unit=unit, case=key.case, count=count
    )


def rounds(ours: list[float], peer: list[float], unit: Unit = Unit.PER_SECOND) -> list[Round]:
    return [
        (measured(OURS, one, unit), measured(PEER, other, unit))
        for one, other in zip(ours, peer, strict=True)
    ]


def test_a_figure_is_the_median_with_least_and_greatest() -> None:
    [ours, peer] = figures(rounds([5.0, 1.0, 3.0], [10.0, 30.0, 10.0]))
    assert (ours.spread.median, ours.spread.least, ours.spread.most) == (3.0, 1.0, 5.0)
    assert (peer.key, peer.spread.median, peer.spread.rounds) == (PEER, 10.0, 3)


def test_a_figure_keeps_what_each_round_counted() -> None:
    [figure] = figures([(measured(OURS, 1.0, count=200),), (measured(OURS, 1.0, count=199),)])
    assert figure.counts == (200, 199)


@pytest.mark.parametrize(("unit", "median"), [(Unit.PER_SECOND, 2.0), (Unit.MILLISECONDS, 0.5)])
def test_twice_as_good_is_more_a_second_or_fewer_milliseconds(unit: Unit, median: float) -> None:
    found = ratio(rounds([20.0], [10.0], unit), OURS, PEER)
    assert found is not None
    assert found.spread.median == median


def test_a_ratio_is_taken_within_each_round() -> None:
    # The medians alone would say 10 / 4; the machine was ten times slower for both in the last round.
    found = ratio(rounds([10.0, 12.0, 1.0], [4.0, 4.0, 0.2]), OURS, PEER)
    assert found is not None
    assert (found.spread.median, found.spread.least, found.spread.most) == (3.0, 2.5, 5.0)


def test_a_round_that_lacks_one_of_them_has_no_ratio() -> None:
    found = ratio([(measured(OURS, 10.0),), *rounds([6.0], [2.0])], OURS, PEER)
    assert found is not None
    assert (found.spread.median, found.spread.rounds) == (3.0, 1)
    assert ratio([(measured(OURS, 10.0),)], OURS, PEER) is None


@pytest.mark.parametrize(("ours", "peer"), [(0.0, 1.0), (1.0, 0.0)])
def test_nothing_is_compared_with_zero(ours: float, peer: float) -> None:
    assert ratio(rounds([ours], [peer]), OURS, PEER) is None


def test_a_peer_is_compared_with_ours_in_its_case_else_in_our_first() -> None:
    rabbit, elsewhere = Key("done", "RabbitMQ", "peer"), Key("done", "in process", "peer")
    own_rabbit = Key("done", "RabbitMQ", "ours")
    keys = {OURS: 12.0, own_rabbit: 8.0, PEER: 4.0, rabbit: 4.0, elsewhere: 4.0}
    one = tuple(measured(key, value) for key, value in keys.items())
    found = {each.other: each.spread.median for each in comparisons([one], ours="ours")}
    assert found == {PEER: 3.0, rabbit: 2.0, elsewhere: 3.0}


def test_another_quantity_is_not_compared() -> None:
    one = (measured(OURS, 1.0), measured(Key("added", "Redis", "peer"), 1.0))
    assert comparisons([one], ours="ours") == ()
