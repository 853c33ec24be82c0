"""Results as they are kept, and the page that is made of them."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import outcomes
from benchmarks.catalogue import MEASURES
from benchmarks.measured import Measured, Unit, rate
from benchmarks.outcomes import LeftOut, Machine, Outcome
from benchmarks.page import page
from benchmarks.subjects import OURS
from benchmarks.summary import Spread
from benchmarks.wording import number, times

MACHINE = Machine(
    cpu="Processor",
    cores=2,
    memory_gb=7.5,
    kernel="Linux 6",
    python="3.11.9",
    versions=("Redis 8.0.2",),
    settings=("postgres fsync=on",),
)


@pytest.fixture(scope="module")
def command() -> ModuleType:
    """The command, with matplotlib, which only the process that has these tests is to import: it is slow."""
    return import_module("benchmarks.__main__")


def outcome(measure: str, *values: Measured, left_out: tuple[LeftOut, ...] = ()) -> Outcome:
    rounds = (values,) if values else ()
    return Outcome(measure=measure, date="2026-11-27", machine=MACHINE, rounds=rounds, left_out=left_out)


def dispatched(subject: str, value: int) -> Measured:
    return rate(subject, "dispatched", count=value, seconds=1.0, case="Redis")


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    kept = outcome("dispatch", dispatched(OURS, 5), left_out=(LeftOut(subject="a", reason="b"),))
    outcomes.write(tmp_path / "results.json", [kept])
    assert outcomes.read(tmp_path / "results.json") == (kept,)


def test_a_measure_replaces_its_own_results_only(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    outcomes.write(path, [outcome("dispatch", dispatched(OURS, 5)), outcome("execute", dispatched(OURS, 6))])
    outcomes.write(path, [outcome("dispatch", dispatched(OURS, 7))])
    assert [each.rounds[0][0].count for each in outcomes.read(path)] == [7, 6]


def test_the_page_says_what_is_better_and_in_which_quantity() -> None:
    text = page([outcome("dispatch", dispatched(OURS, 50), dispatched("slow", 10), dispatched("fast", 100))])
    behind = text.partition("## What is better")[2].partition("\n## ")[0]
    assert "| dispatched | fast (Redis) | tickerq-celery (Redis) | 0.500 × |" in behind
    assert "slow" not in behind
    assert "| slow | Redis | dispatched | 10.0/s | | 10 | 5.00 × |" in text


def test_the_page_says_what_was_left_out_and_why() -> None:
    text = page([outcome("dispatch", left_out=(LeftOut(subject="peer", reason="no Redis: apt install it"),))])
    assert "* peer: no Redis: apt install it" in text
    assert "Nothing was measured." in text


def test_the_page_names_machine_and_versions() -> None:
    text = page([outcome("dispatch", dispatched(OURS, 5))])
    assert "Processor, 2 cores, 7.5 GB, Linux 6, Python 3.11.9. Redis 8.0.2; postgres fsync=on." in text


def test_charts_are_drawn_of_rates_and_delays_alone_and_compared(tmp_path: Path, command: ModuleType) -> None:
    delay = Measured(subject=OURS, quantity="p99", value=4.0, unit=Unit.MILLISECONDS)
    outcomes.write(
        tmp_path / "results.json",
        [outcome("dispatch", dispatched(OURS, 50), dispatched("fast", 5000)), outcome("execute", delay)],
    )
    command.render(tmp_path)
    drawn = {path.name for path in tmp_path.glob("*.png")}
    assert drawn == {"dispatch.png", "execute.png", "summary.png"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.1234, "0.123"), (1.236, "1.24"), (45.64, "45.6"), (999.6, "1,000"), (12_345, "12,300")],
)
def test_a_number_has_three_significant_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_ratio_of_one_round_has_no_range() -> None:
    assert times(Spread(median=2.0, least=2.0, most=2.0, rounds=1)) == "2.00 ×"
    assert times(Spread(median=2.0, least=1.5, most=2.5, rounds=3)) == "2.00 × (1.50 to 2.50)"


def test_a_measure_that_does_not_exist_is_refused(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.parsed(["dispatch", "speed"])
    assert "no such measure: speed; there are " + ", ".join(MEASURES) in capsys.readouterr().err


def test_the_page_in_the_docs_is_made_of_the_results_beside_it(command: ModuleType) -> None:
    kept = outcomes.read(command.KEPT / "results.json")
    assert (command.KEPT / "results.md").read_text() == page(kept)
