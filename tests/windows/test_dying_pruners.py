"""Who prunes dies between the archive and the commit: nothing is lost, and a line may come twice."""

import json
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.acceptance.jobs import Jobs
from tests.integration.pruning import prune
from tests.tables import tickers
from tests.windows.pairs import in_each
from tests.windows.stage import add, start_pruner
from tests.windows.traps import Trap
from tests.windows.windows import PRUNES, Window
from tickerq_celery import TickerStatus
from tickerq_celery.runs.archive import Archive

pytestmark = pytest.mark.acceptance


@in_each(*PRUNES)
def test_what_a_dead_process_was_pruning_is_in_the_archive_and_goes_by_another(
    window: Window, trap: Trap, make_quick: Callable[..., Jobs], tmp_path: Path
) -> None:
    jobs, archive = make_quick(), tmp_path / "old.jsonl"
    ids = add(jobs, 3)
    for each in ids:
        jobs.tickerq.runs.cancel(each)
    core = jobs.tickerq.core
    long_ago = {"ended_at": core.read(lambda tx: tx.now) - timedelta(days=91)}
    core.write(lambda tx: tx.execute(update(tickers).where(tickers.c.id.in_(ids)).values(long_ago)))
    pruner = start_pruner(jobs, archive, trap=trap)
    trap.wait(pruner)
    assert pruner.wait() == -signal.SIGKILL
    assert jobs.count(tickers.c.status == TickerStatus.CANCELLED) == 3
    assert archived(archive) == sorted(map(str, ids))
    assert prune(core, Archive(archive)) == 3
    assert jobs.count() == 0
    assert archived(archive) == sorted(map(str, ids * 2))


def archived(path: Path) -> list[str]:
    return sorted(json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines())
