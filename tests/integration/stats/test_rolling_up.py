"""Each end is counted exactly once: held back for late commits, by any number of beats."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from tests.inner import Core
from tests.integration.making import ON_SERVERS, another_node, at_once, processes
from tests.integration.pruning import A_DAY, round_of
from tests.integration.stats.rolling import ended, random_ends, recount, roll_all, rolled_up, write
from tests.manual_clock import ManualClock
from tests.statements import rollup_state
from tickerq_celery import TickerStatus
from tickerq_celery.beat.rollup import RollupJob
from tickerq_celery.enums import TickerKind
from tickerq_celery.runs.pruner import Pruner
from tickerq_celery.stats import rolling
from tickerq_celery.stats.rolling import roll_up
from tickerq_celery.tickers.histograms import Spread
from tickerq_celery.tickers.tallies import HALF_HOURS, HOURS, MINUTES

MakeCore = Callable[..., Core]
MINUTE = timedelta(minutes=1)


@pytest.mark.every_database
def test_the_roll_up_says_what_a_recount_of_the_rows_says(core: Core, clock: ManualClock) -> None:
    random = Random(7)
    for _ in range(3):
        write(core, *random_ends(core, random, clock.now(), 150))
        clock.advance(hours=4)
        assert roll_all(core, limit=37) == 150
    assert rolled_up(core) == recount(core)
    assert roll_all(core) == 0


@pytest.mark.every_database
def test_ends_of_late_are_counted_in_shorter_periods_too_which_go_when_they_were_kept_long_enough(
    core: Core, clock: ManualClock
) -> None:
    write(core, *random_ends(core, Random(8), clock.now(), 60))
    clock.advance(hours=1, minutes=30)
    roll_all(core, limit=7)
    clock.advance(hours=1, minutes=45)
    roll_all(core, limit=7)
    for grain in (HALF_HOURS, MINUTES):
        since = clock.now() - timedelta(hours=3)
        found = {key: each for key, each in rolled_up(core, grain).items() if key.begins_at >= since}
        right = {key: each for key, each in recount(core, grain).items() if key.begins_at >= since}
        assert found == right
        assert len(found) > 20
    assert {key.type for key in rolled_up(core, MINUTES)} == {-1}
    clock.advance(days=41)
    write(core, ended(core, clock.now()), ended(core, clock.now(), namespace="elsewhere"))
    clock.advance(minutes=3)
    roll_all(core)
    assert [len(rolled_up(core, grain)) for grain in (HALF_HOURS, MINUTES)] == [2, 2]
    assert rolled_up(core) == recount(core)


def test_of_a_history_that_is_counted_at_last_only_what_is_kept_has_shorter_periods(
    core: Core, clock: ManualClock
) -> None:
    at = clock.now()
    write(core, *(ended(core, at + timedelta(hours=each)) for each in (0, 44, 47)))
    clock.advance(hours=48)
    assert roll_all(core) == 3
    assert [len(rolled_up(core, grain)) for grain in (HOURS, HALF_HOURS, MINUTES)] == [3, 3, 1]
    clock.advance(hours=4)
    write(core, ended(core, at + timedelta(hours=50)))
    roll_all(core)
    assert [len(rolled_up(core, grain)) for grain in (HOURS, HALF_HOURS, MINUTES)] == [4, 4, 1]


def test_an_end_is_counted_once_it_is_two_minutes_old(core: Core, clock: ManualClock) -> None:
    write(core, ended(core, clock.now()))
    clock.advance(minutes=2)
    assert roll_all(core) == 0
    clock.advance(seconds=1)
    assert roll_all(core) == 1


def test_an_end_that_is_committed_late_is_counted_and_one_that_comes_later_still_is_not(
    core: Core, clock: ManualClock
) -> None:
    at = clock.now()
    clock.advance(seconds=119)
    assert roll_all(core) == 0
    write(core, ended(core, at))
    clock.advance(minutes=5)
    assert roll_all(core) == 1
    write(core, ended(core, at))
    clock.advance(hours=1)
    assert roll_all(core) == 0


def test_a_watermark_that_another_process_has_moved_ends_the_transaction(
    core: Core, clock: ManualClock
) -> None:
    write(core, ended(core, clock.now()))
    clock.advance(minutes=3)
    before = rollup_state.START
    assert roll_all(core) == 1
    with pytest.raises(AssertionError, match="was locked at"):
        core.write(rollup_state.move, before, rollup_state.position_at(clock.now()))


def test_ends_of_one_moment_are_counted_once_over_several_pieces(core: Core, clock: ManualClock) -> None:
    write(core, *(ended(core, clock.now()) for _ in range(5)))
    clock.advance(minutes=3)
    assert roll_all(core, limit=2) == 5
    assert [each.ends for each in rolled_up(core).values()] == [5]


@pytest.mark.every_database
def test_types_of_exceptions_that_differ_in_spaces_at_their_end_are_counted_together(
    core: Core, clock: ManualClock
) -> None:
    for name in ("shop.NoStock", "shop.NoStock ", "shop.nostock"):
        write(core, ended(core, clock.now(), status=TickerStatus.FAILED, exception_type=name))
    clock.advance(minutes=4)
    assert roll_all(core) == 3
    found = {key.error_type: each.ends for key, each in rolled_up(core).items()}
    assert found == {"shop.NoStock": 2, "shop.nostock": 1}


def test_a_row_says_how_its_ends_went(core: Core, clock: ManualClock) -> None:
    at = clock.now()
    late = ended(core, at, is_late=True, retry_count=2)
    call = {"kind": TickerKind.CELERY_TASK.value, "started_at": None, "elapsed": None}
    write(core, late, ended(core, at + MINUTE), ended(core, at + MINUTE, **call))
    failed = ended(core, at, status=TickerStatus.FAILED, exception_type="builtins.OSError")
    write(core, failed)
    clock.advance(minutes=4)
    roll_all(core)
    found = {(key.kind, key.status, key.error_type): each for key, each in rolled_up(core).items()}
    done = found["function", TickerStatus.DONE, ""]
    assert (done.ends, done.late, done.retried, done.published) == (2, 1, 1, 0)
    assert (done.first_ended_at, done.last_ended_at) == (at, at + MINUTE)
    second = timedelta(seconds=1)
    assert done.durations == Spread.of([2 * second, 2 * second])
    assert done.lags == Spread.of([second])
    assert found["celery_task", TickerStatus.DONE, ""].published == 1
    assert found["function", TickerStatus.FAILED, "builtins.OSError"].last_id == failed["id"]


def test_where_nothing_ends_the_watermark_follows_the_clock(core: Core, clock: ManualClock) -> None:
    clock.advance(hours=1)
    roll_all(core)
    assert core.read(rollup_state.position).ended_at == clock.now() - rolling.HELD_BACK
    clock.advance(seconds=30)
    before = core.read(rollup_state.position)
    roll_all(core)
    assert core.read(rollup_state.position) == before


def test_a_clock_that_is_set_back_moves_no_watermark_back(core: Core, clock: ManualClock) -> None:
    clock.advance(hours=1)
    roll_all(core)
    before = core.read(rollup_state.position)
    clock.set(clock.now() - timedelta(hours=5))
    assert roll_all(core) == 0
    assert core.read(rollup_state.position) == before


@pytest.mark.row_locks
def test_two_beats_at_once_count_each_end_once(core: Core, clock: ManualClock) -> None:
    random = Random(3)
    write(core, *random_ends(core, random, clock.now(), 400))
    clock.advance(hours=4)
    with processes(core, 2) as others:
        counted = at_once(*(lambda each=each: roll_persistently(each) for each in others))
    assert sum(counted) == 400
    assert rolled_up(core) == recount(core)


def roll_persistently(core: Core) -> int:
    """Count until nothing is left, also where another process is at it now and then."""
    counted, idle = 0, 0
    while idle < 3:
        rolled = core.write(roll_up, limit=15)
        counted += rolled.ends if rolled else 0
        idle = idle + 1 if rolled is not None and rolled.is_last else 0
    return counted


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_beat_that_comes_second_does_not_wait(core: Core, clock: ManualClock) -> None:
    roll_all(core)
    with processes(core, 1) as [other], other.database.engine.connect() as connection:
        tx = other.transaction(connection)
        assert rollup_state.lock(tx, wait=False) is not None
        assert core.write(roll_up) is None


def test_the_ends_of_all_namespaces_are_counted(make_core: MakeCore, core: Core, clock: ManualClock) -> None:
    other = make_core(namespace="elsewhere")
    write(core, ended(core, clock.now()), ended(other, clock.now()))
    clock.advance(minutes=3)
    assert roll_all(core) == 2
    assert {key.namespace for key in rolled_up(core)} == {core.config.namespace, "elsewhere"}


def test_no_run_is_pruned_before_its_end_is_counted(make_core: MakeCore, clock: ManualClock) -> None:
    core = make_core(**A_DAY)
    write(core, ended(core, clock.now()))
    clock.advance(days=9)
    pruner = Pruner(core, None)
    assert pieces_of(pruner) == 0
    roll_all(core)
    assert pieces_of(pruner) == 1


def test_a_chain_stays_until_each_of_its_ends_is_counted(make_core: MakeCore, clock: ManualClock) -> None:
    core = make_core(**A_DAY)
    head = ended(core, clock.now(), has_children=True)
    write(core, head)
    clock.advance(hours=1)
    roll_all(core)
    write(core, ended(core, clock.now(), parent_id=head["id"]))
    clock.advance(days=9)
    pruner = Pruner(core, None)
    assert pieces_of(pruner) == 0
    roll_all(core)
    pruner.begin_again()
    assert pieces_of(pruner) == 2


def test_old_hours_of_the_roll_up_go(make_core: MakeCore, clock: ManualClock) -> None:
    core = make_core(retention={"rollups": 3_600 * 24})
    write(core, *random_ends(core, Random(1), clock.now(), 50))
    clock.advance(hours=4)
    roll_all(core)
    own = {key for key in rolled_up(core) if key.namespace == core.config.namespace}
    clock.advance(days=2)
    assert round_of(Pruner(core, None)) == len(own)
    assert {key.namespace for key in rolled_up(core)} == {"elsewhere"}


def pieces_of(pruner: Pruner) -> int:
    """Do a round of a pruner, as far as the roll-up has come; return how many rows it deleted."""
    deleted, is_last = 0, False
    while not is_last:
        piece = pruner.step()
        deleted, is_last = deleted + piece.deleted, piece.is_last
    return deleted


def test_a_job_counts_on_while_there_is_more_and_then_rests(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolling, "HELD_BACK", timedelta(0))
    write(core, *random_ends(core, Random(5), clock.now(), 5))
    clock.advance(hours=4)
    job = RollupJob(replace(another_node(core)))
    assert timedelta(seconds=15) <= job.step() <= timedelta(seconds=25)
    assert rolled_up(core) == recount(core)
