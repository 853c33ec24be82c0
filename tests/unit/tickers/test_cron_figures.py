"""Which ends of a cron ticker's instants are shown, and what follows from them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tickerq_celery.enums import TERMINAL, Origin, TickerKind, TickerStatus
from tickerq_celery.tickers.cron_figures import MOST_OUTCOMES, CronOutcome, figures_of

START = datetime(2026, 1, 15, tzinfo=UTC)
CRON_ID = UUID(int=9)


def ended(
    number: int, status: TickerStatus, origin: Origin = Origin.CRON, seconds: float | None = 2
) -> CronOutcome:
    at = START + timedelta(minutes=number)
    return CronOutcome(
        run_id=UUID(int=number),
        kind=TickerKind.FUNCTION,
        status=status,
        origin=origin,
        instant=at if origin is Origin.CRON else None,
        started_at=at,
        ended_at=at,
        elapsed=None if seconds is None else timedelta(seconds=seconds),
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(TERMINAL)), st.sampled_from([Origin.CRON, Origin.MANUAL, Origin.MISFIRE])
        ),
        max_size=90,
    )
)
def test_the_outcomes_are_the_last_instants_without_a_hole(ends: list[tuple[TickerStatus, Origin]]) -> None:
    all_ends = [ended(number, status, origin) for number, (status, origin) in enumerate(ends)]
    looked_at = MOST_OUTCOMES + 5
    newest = {
        status: [each for each in reversed(all_ends) if each.status is status][:looked_at]
        for status in TERMINAL
    }
    figures = figures_of(CRON_ID, None, newest, looked_at=looked_at)
    instants = [each for each in all_ends if each.origin is Origin.CRON]
    count = len(figures.outcomes)
    assert list(figures.outcomes) == (instants[-count:] if count else [])
    # Fewer only where there are no more, or so many of others that no more were looked at.
    if len(all_ends) < looked_at:
        assert count == min(len(instants), MOST_OUTCOMES)
    manual = [each for each in all_ends if each.origin is Origin.MANUAL]
    if manual:
        assert figures.last_manual == manual[-1]


def test_what_stands_behind_ends_that_were_not_looked_at_is_not_shown() -> None:
    done = [ended(number, TickerStatus.DONE) for number in (90, 3, 2, 1)]
    # Behind these manual runs may be instants that failed, between those that succeeded.
    manual = [ended(number, TickerStatus.FAILED, Origin.MANUAL) for number in range(80, 55, -1)]
    newest = {TickerStatus.DONE: done, TickerStatus.FAILED: manual}
    assert figures_of(CRON_ID, None, newest, looked_at=25).outcomes == (done[0],)
    assert len(figures_of(CRON_ID, None, newest, looked_at=26).outcomes) == 4


def test_a_success_share_is_of_what_succeeded_or_failed() -> None:
    newest = {
        TickerStatus.DONE: [ended(3, TickerStatus.DONE)],
        TickerStatus.DUE_DONE: [ended(2, TickerStatus.DUE_DONE, seconds=4)],
        TickerStatus.FAILED: [ended(1, TickerStatus.FAILED, seconds=6)],
        TickerStatus.SKIPPED: [ended(4, TickerStatus.SKIPPED, seconds=None)],
    }
    figures = figures_of(CRON_ID, START, newest, looked_at=25)
    assert figures.success_share == 2 / 3
    assert figures.mean_duration == timedelta(seconds=4)
    assert figures.last is not None
    assert figures.last.status is TickerStatus.SKIPPED


def test_a_call_that_no_worker_reported_is_published_and_no_success() -> None:
    done = ended(1, TickerStatus.DONE, seconds=None)
    unreported = replace(done, kind=TickerKind.CELERY_TASK, started_at=None)
    failed = ended(2, TickerStatus.FAILED)
    newest = {TickerStatus.DONE: [unreported], TickerStatus.FAILED: [failed]}
    figures = figures_of(CRON_ID, START, newest, looked_at=25)
    assert [each.status_word for each in figures.outcomes] == ["Published", str(TickerStatus.FAILED)]
    assert (figures.published, figures.success_share) == (1, 0)


def test_one_that_has_never_fired_has_no_figures() -> None:
    figures = figures_of(CRON_ID, START, {}, looked_at=25)
    assert (figures.last, figures.success_share, figures.mean_duration) == (None, None, None)
    assert figures.next_run_at == START
