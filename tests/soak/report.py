"""The report of a soak: its figures, its faults, and what broke a rule."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.soak.faults import KILLS, FaultKind
from tests.soak.figures import Figures
from tests.soak.violation import Violation

_VIOLATIONS_SHOWN = 20
_LINES_SHOWN = 30
_LONGEST_LINE = 300
# A shorter one may end before each kind of fault has come, or before each has hit what it is there for.
_REAL_SECONDS = 60
_LONG_SECONDS = 300


def shortcomings(seconds: float, faults: Mapping[FaultKind, int], figures: Figures) -> list[str]:
    """Return why a soak was no real test; a short one need not be one."""
    if seconds < _REAL_SECONDS:
        return []
    seen = {
        "no process was killed": sum(faults.get(kind, 0) for kind in KILLS),
        "Redis was not flushed": faults.get(FaultKind.FLUSH_REDIS, 0),
        "PostgreSQL was not restarted": faults.get(FaultKind.RESTART_POSTGRES, 0),
        "nothing was rescued": figures.rescues,
        "nothing was retried": figures.retries,
        "no cron ticker fired": figures.occurrences,
    }
    if seconds >= _LONG_SECONDS:
        seen |= {
            "no beat was killed": faults.get(FaultKind.KILL_BEAT, 0),
            "no worker was killed": faults.get(FaultKind.KILL_WORKER, 0),
            "Redis was not restarted": faults.get(FaultKind.RESTART_REDIS, 0),
            "no zombie's finish was refused": figures.refused_finishes,
        }
    return [words for words, count in seen.items() if not count]


def summary(*, faults: Counter[FaultKind], restarts: int, settled_after: float, figures: Figures) -> str:
    """Return the figures as lines."""
    ends = ", ".join(f"{count} {status.name}" for status, count in figures.ended_by.items())
    counted = [f"  {count:4} {kind}" for kind, count in sorted(faults.items(), key=lambda each: each[0].name)]
    return "\n".join(
        [
            f"tickers     {figures.committed} committed, {figures.rolled_back} rolled back, "
            f"{figures.unknown} unknown; {figures.children} children stored with them",
            f"occurrences {figures.occurrences}, and {figures.overlaps} skipped as others ran, "
            f"{figures.missed_instants} instants recorded as missed",
            f"runs        {ends}",
            f"starts      {figures.starts}, retries {figures.retries}, rescues {figures.rescues}",
            f"faults      {sum(faults.values())}, processes started again {restarts}",
            *counted,
            f"without a limit: longest recovery {figures.longest_recovery.total_seconds():.1f} s, "
            f"longest lateness of a start {figures.longest_lateness.total_seconds():.1f} s",
            f"after the faults: all done in {settled_after:.1f} s, no run was stalled for longer than "
            f"{figures.longest_wait.total_seconds():.1f} s",
            f"effects repeated after a recorded rescue {figures.repeated_effects}, "
            f"bodies that outlived their rescue {figures.zombies}, "
            f"finishes refused {figures.refused_finishes}",
            f"lost {figures.losses}, doubled {figures.doubles}",
        ]
    )


def evidence(violations: Sequence[Violation], folder: Path) -> str:
    """Return the violations, each with the lines that name its ticker in the logs of ``folder``."""
    texts = []
    for violation in violations[:_VIOLATIONS_SHOWN]:
        lines = [] if violation.subject is None else lines_about(str(violation.subject), folder)
        texts += [f"VIOLATED: {violation.rule}: {violation.subject}", f"  {violation.evidence}"]
        texts += [f"  {line}" for line in lines]
    hidden = len(violations) - _VIOLATIONS_SHOWN
    return "\n".join(texts + ([f"and {hidden} more"] if hidden > 0 else []))


def lines_about(word: str, folder: Path) -> list[str]:
    """Return the first lines in the files of a folder that hold a word, each with the file's name."""
    found = [f"{file.name}: {line}" for file in sorted(folder.iterdir()) for line in _lines(file, word)]
    return [line[:_LONGEST_LINE] for line in found[:_LINES_SHOWN]]


def _lines(file: Path, word: str) -> Iterable[str]:
    if file.is_dir():
        return []
    return [line for line in file.read_text(errors="replace").splitlines() if word in line]
