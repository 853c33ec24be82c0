"""``python -m tests.soak``: soak for SOAK_SECONDS (600), from the seed SOAK_SEED, and report.

It ends with 1 where a rule was broken, or where so little happened that nothing was proved.
"""

import logging
import os
import secrets
import shutil
import signal
import sys
from pathlib import Path

from tests.run_mark import begin_run
from tests.servers.services import SERVICES
from tests.soak.checker import check
from tests.soak.figures import figures_of
from tests.soak.history import History
from tests.soak.report import evidence, shortcomings, summary
from tests.soak.soak import Soaked, make_folder, soak

_SERVERS = ("postgres", "redis")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Soak, check and report; return the exit code."""
    missing = [words for kind in _SERVERS if (words := SERVICES[kind].missing()) is not None]
    if missing:
        print("\n".join(missing))
        return 1
    begin_run()
    for number in _SIGNALS:
        signal.signal(number, unwind)
    seconds = float(os.environ.get("SOAK_SECONDS", "600"))
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(1_000_000))
    folder = make_folder()
    logging.basicConfig(filename=folder / "soak.log", format="%(asctime)s %(message)s", level=logging.INFO)
    print(f"soak of {seconds:g} s with SOAK_SEED={seed}, logs in {folder}", flush=True)
    soaked = soak(seconds, seed=seed, folder=folder)
    is_good = report(soaked, seconds=seconds, folder=folder)
    if is_good:
        shutil.rmtree(folder)
    return 0 if is_good else 1


def unwind(number: int, _frame: object) -> None:
    """End the soak by an exception, so that nothing stays behind; a second signal must not disturb that."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def report(soaked: Soaked, *, seconds: float, folder: Path) -> bool:
    """Print the report; return whether all is well."""
    violations = [*check(soaked.history), *soaked.ends.violations()]
    figures = figures_of(soaked.history, violations)
    short = shortcomings(seconds, soaked.faults, figures)
    print(
        summary(
            faults=soaked.faults,
            restarts=soaked.restarts,
            settled_after=soaked.settled_after,
            figures=figures,
        )
    )
    for name in soaked.ends.given_up:
        print(f"ended by an error of Celery's own: {name}")
    for name in soaked.ends.slow_workers:
        print(f"did not end when asked to, and was killed: {name}")
    if violations:
        write(soaked.history, folder / "history.txt")
        print(evidence(violations, folder))
    for words in short:
        print(f"NO REAL TEST: {words}")
    if violations or short:
        print(f"{len(violations)} violations; the history and all logs are kept in {folder}")
    return not violations and not short


def write(history: History, path: Path) -> None:
    """Write a history down, a value on each line."""
    parts = (
        history.added, history.runs, history.attempts, history.crons, history.occurrences, history.skips,
        history.blows, (history.calm,),
    )  # fmt: skip
    path.write_text("".join(f"{value}\n" for part in parts for value in part))


if __name__ == "__main__":
    sys.exit(main())
