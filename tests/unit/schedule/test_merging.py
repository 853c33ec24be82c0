"""Sources are merged in order, lazily, and what the answer says of its own completeness is true."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.schedule.merging import Bound, Merged, Step, merge

START = datetime(2026, 1, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(second: int) -> datetime:
    return START + second * SECOND


# A source: seconds, each with an item or only a sign of how far it is, and perhaps a source that it opens.
Plan = list[tuple[int, bool, list[int]]]
PLANS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 60), st.booleans(), st.lists(st.integers(0, 30), max_size=3)), max_size=6
    ),
    max_size=5,
)


def opened_at(second: int, opened: list[int]) -> Iterator[Step[int]]:
    return (Step(at(second + each), second + each) for each in sorted(opened))


def source(plan: Plan) -> Iterator[Step[int]]:
    for second, has_item, opened in sorted(plan):
        inner = opened_at(second, opened) if opened else None
        yield Step(at(second), second if has_item else None, opens=inner)


def all_items(plans: list[Plan], until: int) -> list[int]:
    found = [second for plan in plans for second, has_item, _ in plan if has_item]
    # What is opened at the end or behind it is never reached.
    found += [
        second + each for plan in plans for second, _, opened in plan if second < until for each in opened
    ]
    return sorted(each for each in found if each < until)


def merged(plans: list[Plan], until: int, limit: int, steps: int = 10**6) -> Merged[int]:
    asked = count()
    return merge(
        [source(plan) for plan in plans],
        until=at(until),
        limit=limit,
        is_over=lambda: next(asked) >= steps,
    )


@given(PLANS, st.integers(1, 90), st.integers(1, 30), st.integers(0, 40))
def test_an_answer_is_the_beginning_of_all_that_there_is(
    plans: list[Plan], until: int, limit: int, steps: int
) -> None:
    wanted = all_items(plans, until)
    found = merged(plans, until, limit, steps)
    assert list(found.items) == wanted[: len(found.items)]
    assert len(found.items) <= limit
    # Nothing is missing before the moment that it names, and that is never beyond what is missing.
    missing = wanted[len(found.items) :]
    assert all(at(each) >= found.complete_until for each in missing)
    if found.stopped_by is None:
        assert not missing
        assert found.complete_until == at(until)
    if found.stopped_by is Bound.LIMIT:
        assert missing
        assert found.complete_until == at(missing[0])


def test_no_step_is_taken_that_the_answer_does_not_need() -> None:
    taken = []

    def each_second() -> Iterator[Step[int]]:
        for second in count():
            taken.append(second)
            yield Step(at(second), second)

    assert merge([each_second()], until=at(10**6), limit=3, is_over=lambda: False).items == (0, 1, 2)
    assert taken == [0, 1, 2, 3]


def test_a_source_that_never_has_an_item_ends_with_the_time_that_an_answer_may_take() -> None:
    asked = count()
    nothing: Iterator[Step[int]] = (Step(at(0)) for _ in count())
    found = merge([nothing], until=at(1), limit=1, is_over=lambda: next(asked) >= 1_000)
    assert found == Merged(items=(), complete_until=at(0), stopped_by=Bound.BUDGET)
