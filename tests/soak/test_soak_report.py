"""What the soak reads, and what it makes of it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from tests.inner import TAKEN_REASON, Misfire
from tests.missed import missed
from tests.soak import body_file
from tests.soak.faults import FaultKind
from tests.soak.figures import Figures, figures_of
from tests.soak.histories import (
    CHAIN,
    CRON,
    LIMITED,
    SKIPPED,
    VALID,
    at,
    calm,
    changed,
    ended,
    more,
    started,
    ticker_id,
)
from tests.soak.history import History
from tests.soak.reading import skip_record
from tests.soak.report import evidence, shortcomings, summary
from tests.soak.traces import Blow
from tests.soak.violation import Rule, Violation
from tickerq_celery.enums import TickerStatus
from tickerq_celery.tickers.skip_reasons import misfire_reason

SECOND = timedelta(seconds=1)
ALL_FAULTS = Counter(dict.fromkeys(FaultKind, 1))


def figures(history: History) -> Figures:
    return figures_of(history, [])


def test_what_a_body_notes_is_read_again(tmp_path: Path) -> None:
    file, name = tmp_path / "bodies.txt", f"{ticker_id(1)}:3"
    for word in (body_file.START, body_file.FAILED, body_file.START, body_file.DONE):
        body_file.append(file, word, task_id=name, function="Work")
    begun, over = body_file.parse(file.read_text().splitlines())
    assert [(each.ticker_id, each.claim_no, each.function) for each in begun] == [
        (ticker_id(1), 3, "Work")
    ] * 2
    assert [each.has_failed for each in over] == [True, False]
    assert begun[0].at <= over[0].at
    assert begun[0].pid == over[1].pid


def test_a_line_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="neither start nor end"):
        body_file.parse([f"stop {UUID(int=1)} 1 2 3.0 Work"])


def test_the_record_of_missed_instants_is_read_as_it_is_written() -> None:
    misfire = Misfire(first=at(2), last=at(9.5), count=8, count_is_exact=True)
    reason = misfire_reason(misfire, "run_once")
    row = SimpleNamespace(id=ticker_id(1), cron_ticker_id=CRON, skipped_reason=reason)
    record = skip_record(row)
    assert record is not None
    assert (record.run_id, record.cron_id) == (ticker_id(1), CRON)
    assert (record.first, record.last, record.count) == (at(2), at(9.5), 8)


@pytest.mark.parametrize("is_exact", [True, False])
def test_missed_instants_are_read_as_they_are_written(is_exact: bool) -> None:
    misfire = Misfire(first=at(2), last=at(9.5), count=8, count_is_exact=is_exact)
    assert missed(misfire_reason(misfire, "run_once")) == misfire


@pytest.mark.parametrize("reason", [TAKEN_REASON, "", None])
def test_other_occurrences_are_no_record_of_missed_instants(reason: str | None) -> None:
    row = SimpleNamespace(id=ticker_id(1), cron_ticker_id=CRON, skipped_reason=reason)
    assert skip_record(row) is None


def test_the_figures_count_what_happened() -> None:
    found = figures(VALID)
    assert (found.committed, found.rolled_back, found.unknown) == (3, 1, 2)
    assert (found.occurrences, found.overlaps, found.missed_instants) == (3, 0, 2)
    assert (found.starts, found.retries, found.rescues) == (9, 2, 1)
    assert (found.losses, found.doubles, found.repeated_effects) == (0, 0, 0)
    assert found.ended_by[TickerStatus.DONE] == 5


def test_children_are_counted_apart_from_the_tickers_whose_commit_is_known_or_not() -> None:
    found = figures(CHAIN)
    assert (found.committed, found.rolled_back, found.unknown, found.children) == (4, 1, 2, 4)


def test_an_occurrence_that_was_skipped_as_another_ran_is_counted_apart() -> None:
    found = figures(changed(VALID, "runs", {"status": SKIPPED}, id=ticker_id(13)))
    assert (found.occurrences, found.overlaps) == (2, 1)


def test_a_body_that_ended_well_twice_is_a_repeated_effect() -> None:
    assert figures(more(VALID, "ended", ended(2, 2, 4))).repeated_effects == 1


def test_a_body_that_ended_after_its_rescue_is_a_zombie() -> None:
    # The attempt was recorded as lost after 6 s.
    assert [figures(more(VALID, "ended", ended(2, 2, seconds))).zombies for seconds in (5, 7)] == [0, 1]
    assert figures(VALID).zombies == 0


def test_recovery_counts_from_the_blow_that_hit_the_process_to_the_next_start() -> None:
    # The lost attempt of ticker 2 began after 3 s, its next start is that after 8 s.
    assert figures(VALID).longest_recovery == 5 * SECOND
    others = Blow(kind="kill", at=at(4), pids=frozenset({8}))
    too_early, hits, late = (Blow(kind="kill", at=at(s), pids=frozenset({7})) for s in (2, 4.5, 5))
    assert figures(replace(VALID, blows=(others, too_early))).longest_recovery == 5 * SECOND
    assert figures(replace(VALID, blows=(too_early, hits, late))).longest_recovery == 3.5 * SECOND


def test_lateness_counts_from_the_execution_time_to_the_first_start_of_a_one_off_ticker() -> None:
    unlimited = replace(LIMITED, limits={})
    assert figures(unlimited).longest_lateness == 3 * SECOND
    assert figures(more(unlimited, "started", started(10, 2, 99))).longest_lateness == 3 * SECOND


def test_a_run_that_waited_for_a_slot_is_neither_late_nor_slow_to_recover() -> None:
    assert figures(LIMITED).longest_lateness == SECOND
    all_limited = replace(VALID, limits={"Work": 9})
    assert figures(all_limited).longest_lateness == figures(all_limited).longest_recovery == 0 * SECOND


def test_violations_are_counted_as_losses_and_doubles() -> None:
    rules = (Rule.COMMITTED_IS_TERMINAL, Rule.NOTHING_IS_ACTIVE, Rule.ONE_START, Rule.LIMIT_IS_KEPT)
    found = figures_of(VALID, [Violation(rule=rule, subject=None, evidence="") for rule in rules])
    assert (found.losses, found.doubles) == (2, 1)


def test_a_minute_without_faults_proves_nothing() -> None:
    good = figures(VALID)
    assert shortcomings(60, ALL_FAULTS, good) == []
    assert len(shortcomings(60, {}, replace(good, rescues=0, retries=0, occurrences=0))) == 6
    assert shortcomings(60, Counter(ALL_FAULTS) - Counter([FaultKind.FLUSH_REDIS]), good) == [
        "Redis was not flushed"
    ]
    assert shortcomings(59, {}, good) == []


def test_five_minutes_must_hold_what_a_minute_need_not() -> None:
    hit, good = Counter(ALL_FAULTS), replace(figures(VALID), refused_finishes=1)
    assert shortcomings(300, hit, good) == []
    assert shortcomings(300, hit, replace(good, refused_finishes=0)) == ["no zombie's finish was refused"]
    assert shortcomings(299, hit, replace(good, refused_finishes=0)) == []
    for kind in (FaultKind.KILL_BEAT, FaultKind.KILL_WORKER, FaultKind.RESTART_REDIS):
        assert len(shortcomings(300, hit - Counter([kind]), good)) == 1
        assert shortcomings(299, hit - Counter([kind]), good) == []


def test_the_longest_wait_counts_from_the_end_of_the_faults() -> None:
    # The lost attempt of ticker 2 lasts from 3 s to 6 s.
    assert figures(calm(2)).longest_wait == 3 * SECOND
    assert figures(calm(5)).longest_wait == 2 * SECOND
    assert figures(VALID).longest_wait == 0 * SECOND


def test_the_summary_names_each_fault() -> None:
    text = summary(faults=ALL_FAULTS, restarts=5, settled_after=1.5, figures=figures(VALID))
    assert all(str(kind) in text for kind in FaultKind)
    assert "lost 0, doubled 0" in text


def test_the_evidence_holds_the_lines_of_all_files_that_name_the_ticker(tmp_path: Path) -> None:
    (tmp_path / "worker1-1.log").write_text(f"run {ticker_id(1)} was lost\nrun {ticker_id(2)} was not\n")
    violation = Violation(rule=Rule.ONE_START, subject=ticker_id(1), evidence="claim 1, 2 starts")
    text = evidence([violation] * 21, tmp_path)
    assert f"worker1-1.log: run {ticker_id(1)} was lost" in text
    assert str(ticker_id(2)) not in text
    assert "claim 1, 2 starts" in text
    assert "and 1 more" in text
