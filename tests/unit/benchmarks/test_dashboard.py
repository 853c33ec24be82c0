"""What is said of nineteen of twenty requests."""

from benchmarks.dashboard import MEDIAN, PAGE, PROCESSOR, Request, figures_of, p95


def test_nineteen_of_twenty_took_no_longer() -> None:
    assert p95([float(each) for each in range(20, 0, -1)]) == 19.0
    assert p95([5.0]) == 5.0


def test_beside_what_a_page_took_stands_what_it_took_of_the_processor() -> None:
    requests = [Request(took=float(each), processor=each / 2) for each in range(1, 21)]
    assert figures_of(requests) == {MEDIAN: 10.5, PAGE: 19.0, PROCESSOR: 5.25}
