"""How a fleet judges the ends of its processes, with processes that only pretend to be some."""

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.soak.ends import BEAT_SECONDS, END_SECONDS, is_celerys_own, seconds_to_end
from tests.soak.fleet import Fleet
from tests.soak.slot import Slot, State
from tests.soak.violation import Rule

READY = {"beat": "beat: Starting...", "worker": "w1@here ready."}
CELERYS_ERROR = "Unrecoverable error: AttributeError()\n File kombu/connection.py"


@dataclass(slots=True, kw_only=True)
class Pretended:
    """A process that ignores every signal but SIGKILL."""

    log: str
    code: int | None = None
    pid: int = 1
    log_path: Path = Path("beat1-1.log")
    signals: list[signal.Signals] = field(default_factory=list)

    def is_alive(self) -> bool:
        return self.code is None

    def group(self) -> list[int]:
        return [self.pid]

    def signal(self, number: signal.Signals) -> None:
        self.signals.append(number)

    def wait(self, seconds: float = 0) -> int:
        assert self.code is not None, f"did not end in {seconds} s"
        return self.code

    def kill(self) -> None:
        self.code = -signal.SIGKILL


def a_slot(command: str, **fields: Any) -> Slot:
    process: Any = Pretended(**{"log": READY[command], **fields})
    return Slot(name=f"{command}1", command=command, state=State.RUNNING, process=process)


def a_fleet(slot: Slot) -> Fleet:
    return Fleet(folder=Path("nowhere"), environ={}, slots=[slot])


def broken(fleet: Fleet) -> list[Rule]:
    return [violation.rule for violation in fleet.ends.violations()]


@pytest.mark.parametrize(
    ("command", "log", "seconds"),
    [
        ("beat", READY["beat"], BEAT_SECONDS),
        ("beat", "importing", END_SECONDS),
        ("worker", READY["worker"], END_SECONDS),
    ],
)
def test_a_beat_has_less_time_to_end_once_it_has_started(command: str, log: str, seconds: float) -> None:
    assert seconds_to_end(a_slot(command, log=log)) == seconds


@pytest.mark.parametrize(("command", "rules"), [("beat", [Rule.BEATS_END_IN_TIME]), ("worker", list[Rule]())])
def test_a_beat_that_does_not_end_in_its_time_breaks_a_rule(command: str, rules: list[Rule]) -> None:
    fleet = a_fleet(slot := a_slot(command))
    fleet.end(slot, "asked to end", signal.SIGTERM, pause=9.0)
    fleet.tend()
    assert (broken(fleet), slot.state) == ([], State.ENDING)
    slot.until = 0.0
    fleet.tend()
    assert (broken(fleet), slot.state) == (rules, State.DOWN)


def test_a_beat_that_ended_unobserved_ended_in_its_time() -> None:
    fleet = a_fleet(slot := a_slot("beat"))
    fleet.end(slot, "asked to end", signal.SIGTERM, pause=9.0)
    slot.running.kill()
    slot.until = 0.0
    fleet.tend()
    assert (broken(fleet), slot.state) == ([], State.DOWN)


def test_a_beat_that_outlives_the_soak_breaks_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.soak.ends.BEAT_SECONDS", 0.0)
    fleet = a_fleet(a_slot("beat"))
    fleet.stop_all()
    assert broken(fleet) == [Rule.BEATS_END_IN_TIME]


@pytest.mark.parametrize(
    ("command", "log", "rules"),
    [
        ("beat", READY["beat"], [Rule.PROCESSES_ENDURE]),
        ("worker", READY["worker"], [Rule.PROCESSES_ENDURE]),
        ("worker", CELERYS_ERROR, []),
        ("beat", CELERYS_ERROR, [Rule.PROCESSES_ENDURE]),
    ],
)
def test_an_end_that_was_not_asked_for_breaks_a_rule(command: str, log: str, rules: list[Rule]) -> None:
    fleet = a_fleet(slot := a_slot(command, log=log, code=1))
    slot.pause = 9.0
    fleet.tend()
    assert broken(fleet) == rules


@pytest.mark.parametrize(
    ("log", "is_celerys"),
    [
        (CELERYS_ERROR, True),
        ("Unrecoverable error: KeyError()\n File tickerq_celery/worker/main_process.py", False),
        (f"File tickerq_celery/task.py\n{CELERYS_ERROR}", True),
        ("Worker: Warm shutdown", False),
    ],
)
def test_a_worker_that_celery_gave_up_is_distinguished_from_one_that_we_ended(
    log: str, is_celerys: bool
) -> None:
    assert is_celerys_own(log) is is_celerys
