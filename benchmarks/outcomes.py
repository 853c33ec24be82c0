"""What a measure brought in all its rounds, and how it is kept as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measured import Measured, Unit

Round = tuple[Measured, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A subject that was not measured, or no more after it had failed, and why."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What it was measured on; versions and settings are lines to be printed."""

    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    python: str
    versions: tuple[str, ...]
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The rounds of one measure, in each of which every subject ran once."""

    measure: str
    date: str
    machine: Machine
    rounds: tuple[Round, ...]
    left_out: tuple[LeftOut, ...]


def measured_in(text: str) -> Round:
    """Return what a process of a measure printed as the last line of its output."""
    return tuple(_measured(each) for each in json.loads(text.strip().splitlines()[-1]))


def read(path: Path) -> tuple[Outcome, ...]:
    """Return the outcomes that a file keeps; none if there is no file."""
    if not path.exists():
        return ()
    return tuple(
        Outcome(
            measure=each["measure"],
            date=each["date"],
            machine=_machine(each["machine"]),
            rounds=tuple(tuple(map(_measured, one)) for one in each["rounds"]),
            left_out=tuple(LeftOut(**one) for one in each["left_out"]),
        )
        for each in json.loads(path.read_text())
    )


def write(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Keep outcomes, in the place of those of the same measures; others stay."""
    new = {each.measure: each for each in outcomes}
    kept = {each.measure: each for each in read(path)} | new
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(each) for each in kept.values()], indent=1) + "\n")


def _measured(stored: dict[str, object]) -> Measured:
    return Measured(**{**stored, "unit": Unit(stored["unit"])})  # type: ignore[arg-type]  # JSON has no types


def _machine(stored: dict[str, object]) -> Machine:
    lists = {name: tuple(stored[name]) for name in ("versions", "settings")}  # type: ignore[arg-type]
    return Machine(**{**stored, **lists})  # type: ignore[arg-type]  # JSON has no types
