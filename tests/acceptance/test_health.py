"""kill -9 of beat and of every worker: ``tickerq health`` names them, and is well again after a restart."""

from collections.abc import Callable

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.waiting import wait_until
from tests.thoroughness import in_proof

pytestmark = pytest.mark.acceptance


@pytest.mark.verify  # tests/integration has what is found when a heartbeat stops
@pytest.mark.parametrize(
    ("store_url", "broker_url", "heartbeat", "lease"),
    [
        ("sqlite", "fs", 1.0, 3.0),
        ("postgres", "redis", 1.0, 3.0),
        ("mariadb", "rabbitmq", 1.0, 3.0),
        # The defaults, by which each case waits most of a minute.
        ("mariadb", "rabbitmq", 10.0, 30.0),
        in_proof("sqlite", "fs", 10.0, 30.0),
        in_proof("postgres", "redis", 10.0, 30.0),
    ],
    indirect=["store_url", "broker_url"],
)
def test_killed_beat_and_workers_are_named_and_well_once_they_are_back(
    make_jobs: Callable[..., Jobs], store_url: str, broker_url: str, heartbeat: float, lease: float
) -> None:
    jobs = make_jobs(store_url, broker_url, heartbeat=heartbeat, lease=lease)
    report = jobs.tickerq.health.report
    processes = [jobs.beat(), jobs.worker(), jobs.worker()]
    wait_until(lambda: report().is_well, lambda: f"{report()}\n{jobs.logs()}")
    code, output = jobs.command("health")
    assert (code, output.splitlines()[0]) == (0, "All well"), output
    names = jobs.node_names("beat") | jobs.node_names("worker")
    assert len(names) == 3

    for process in processes:
        process.kill()
    wait_until(lambda: len(report().problems) == 3, lambda: str(report()))
    code, output = jobs.command("health")
    assert code == 1
    failed = [line for line in output.splitlines() if line.startswith("failed ")]
    assert {name for name in names if any(name in line for line in failed)} == names, output
    assert [jobs.command("health", f"--{kind}", "--here")[0] for kind in ("beat", "worker")] == [1, 1]

    jobs.beat()
    jobs.worker()
    wait_until(lambda: report().is_well, lambda: f"{report()}\n{jobs.logs()}")
    assert jobs.command("health")[0] == 0
    # Those that are back know nothing of the dead: beat finds them, and removes their rows.
    wait_until(lambda: not report().problems, lambda: f"{report()}\n{jobs.logs()}")
