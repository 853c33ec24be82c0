"""A quick run of each measure on real servers: figures, the page and the charts."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import outcomes
from benchmarks.catalogue import MEASURES
from benchmarks.environments import ROOT
from benchmarks.subjects import OURS, Measure
from tests.servers.availability import require
from tests.servers.services import SERVICES
from tests.thoroughness import in_proof

QUICK = [each for each in MEASURES.values() if each.is_default and each.is_quick]
# They start beats and workers, which takes two thirds of the time of all.
WITH_PROCESSES = ("start-delay", "execute", "idle-tick")
TRIED = [in_proof(each) if each.name in WITH_PROCESSES else each for each in QUICK]


@pytest.mark.verify
@pytest.mark.parametrize("measure", TRIED, ids=lambda each: each.name)
def test_a_quick_run_without_peers_measures_all_of_ours(
    request: pytest.FixtureRequest, tmp_path: Path, measure: Measure
) -> None:
    ours = [each for each in measure.subjects if each.environment is None]
    for kind in {kind for each in ours for kind in each.needs} & set(SERVICES):
        require(request.config, kind)
    command = [sys.executable, "-m", "benchmarks", "--quick", "--without-peers", "--to", str(tmp_path)]
    done = subprocess.run(
        [*command, measure.name], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    [outcome] = outcomes.read(tmp_path / "results.json")
    failed = [each for each in outcome.left_out if each.reason != "the peers were not asked for"]
    assert failed == []
    [found] = outcome.rounds
    assert {each.subject for each in found} & {OURS, "an outbox"}
    assert min(each.value for each in found) > 0
    assert measure.title in (tmp_path / "results.md").read_text()
    assert (tmp_path / f"{measure.name}.png").exists()
