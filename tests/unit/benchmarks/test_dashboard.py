"""What is said of nineteen of twenty requests."""

from benchmarks.dashboard import p95


def test_nineteen_of_twenty_took_no_longer() -> None:
    assert p95([float(each) for each in range(20, 0, -1)]) == 19.0
    assert p95([5.0]) == 5.0
