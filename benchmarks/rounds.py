"""The rounds of one measure: in each, every subject runs once, so that a slow minute meets all of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.environments import install, is_installed
from benchmarks.machine import machine
from benchmarks.outcomes import LeftOut, Outcome, Round
from benchmarks.runs import run
from benchmarks.servers import Servers
from benchmarks.subjects import Measure, Subject

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is measured: rounds of small or full counts, with or without the peers.

    ``is_whole`` where all rounds are wanted, however long a measure takes.
    """

    rounds: int
    is_whole: bool = False
    is_quick: bool = False
    with_peers: bool = True


class Rounds:
    """The subjects of a measure that can still run, what they measured, and why others were left out."""

    def __init__(self, measure: Measure, servers: Servers, amount: Amount, say: Say) -> None:
        self._measure, self._servers, self._amount, self._say = measure, servers, amount, say
        self._subjects: list[Subject] = []
        self._left_out: list[LeftOut] = []
        self._rounds: list[Round] = []

    def measure(self) -> Outcome:
        """Run all subjects round by round, as long as the measure has time for another round, or all."""
        rounds = self._amount.rounds
        self._find_usable(self._measure.subjects)
        began = time.monotonic()
        while len(self._rounds) < rounds and self._subjects:
            self._rounds.append(self._run_all(f"{len(self._rounds) + 1}/{rounds}"))
            if not self._amount.is_whole and time.monotonic() - began > self._measure.total_seconds:
                self._say(f"  it has taken {self._measure.total_seconds:g} s: no further round")
                break
        return Outcome(
            measure=self._measure.name,
            date=datetime.now(UTC).date().isoformat(),
            machine=machine(self._measure, self._servers),
            rounds=tuple(self._rounds),
            left_out=tuple(self._left_out),
        )

    def _run_all(self, label: str) -> Round:
        found: Round = ()
        for subject in tuple(self._subjects):
            began = time.monotonic()
            count = subject.quick if self._amount.is_quick else subject.count
            result = run(subject, self._servers, count=count, limit_seconds=self._measure.seconds)
            if isinstance(result, LeftOut):
                self._leave_out(result)
                self._subjects.remove(subject)
                continue
            found += result
            self._say(f"  {label} {subject.name}: {_shown(result)} ({time.monotonic() - began:.0f} s)")
        return found

    def _find_usable(self, subjects: Sequence[Subject]) -> None:
        for subject in subjects:
            reason = self._missing(subject)
            if reason is None:
                self._subjects.append(subject)
            else:
                self._leave_out(LeftOut(subject=subject.name, reason=reason))

    def _missing(self, subject: Subject) -> str | None:
        """Return what it lacks in one line; a peer's environment is made if that is all."""
        for kind in subject.needs:
            missing = self._servers.missing(kind)
            if missing is not None:
                return missing
        if subject.environment is not None and not self._amount.with_peers:
            return "the peers were not asked for"
        if subject.environment is None or is_installed(subject.environment):
            return None
        self._say(f"  installing {subject.environment} …")
        try:
            install(subject.environment)
        except Exception as error:  # noqa: BLE001 - a peer that cannot be installed is left out, not the others
            words = str(getattr(error, "stderr", None) or error).strip()
            return f"it could not be installed: {words.splitlines()[-1]}"
        return None

    def _leave_out(self, one: LeftOut) -> None:
        self._left_out.append(one)
        self._say(f"  LEFT OUT {one.subject}: {one.reason}")


def _shown(result: Round) -> str:
    return ", ".join(f"{each.quantity} {each.value:,.1f} {each.unit}" for each in result)
