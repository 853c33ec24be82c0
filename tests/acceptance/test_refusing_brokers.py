"""A broker that is there and takes no messages is named from the overview within half a minute, for real."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.acceptance.jobs import Jobs, due_in
from tests.acceptance.waiting import wait_until
from tests.dashboard.conftest import BASE
from tests.dashboard.page_text import text_of
from tests.servers.rabbitmq import RabbitmqServer
from tests.servers.redis import RedisServer
from tests.servers.server import Server
from tickerq_dashboard import create_app

pytestmark = [pytest.mark.acceptance, pytest.mark.verify]
ON_MEMORY = "set_vm_memory_high_watermark"


@contextmanager
def full(server: Server) -> Iterator[str]:
    """Let a server take no messages within the block; give what it says."""
    if isinstance(server, RabbitmqServer):
        server.control(ON_MEMORY, "absolute", "1MB")
        yield "taken no messages, as it has an alarm: low on memory"
        server.control(ON_MEMORY, "0.9")
    else:
        assert isinstance(server, RedisServer)
        with Redis.from_url(server.url) as admin:
            admin.config_set("maxmemory", 1)
            yield "refused messages: OOM command not allowed when used memory > 'maxmemory'"
            admin.config_set("maxmemory", 0)


@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_a_broker_that_takes_no_messages_is_named_from_the_overview_and_beat_is_not_blamed(
    make_jobs: Callable[..., Jobs], start_server: Callable[[str], Server], tmp_path: Path, broker: str
) -> None:
    server = start_server(broker)
    jobs = make_jobs(f"sqlite:///{tmp_path}/tickers.db", server.new_database(), lease=10, heartbeat=2)
    jobs.tickerq.create_schema()
    client = create_app(jobs.tickerq, auth="none").test_client()

    def overview() -> str:
        return text_of(client.get(f"{BASE}/").text)

    jobs.worker()
    beat = jobs.beat()
    jobs.wait_for_status(jobs.add("Plain", execution_time=due_in(0.5)))
    with full(server) as words:
        run_id = jobs.add("Plain", execution_time=due_in(0.5))
        beat.wait_for(f"beat paused: the broker has {words}")
        refused = time.monotonic()
        wait_until(lambda: f"The broker has {words}" in overview(), lambda: f"{overview()}\n{jobs.logs()}")
        assert time.monotonic() - refused < 30
        # For longer than a lease: its last complete tick is old.
        wait_until(lambda: "overdue" in overview(), overview)
        assert "no tick" not in overview()
        code, output = jobs.command("health")
        assert (code, f"failed   the broker has {words}" in output) == (1, True), output
        assert "no tick" not in output
        assert jobs.command("health", "--beat", "--here")[0] == 0
        assert f"the broker, which has {words}"[:100] in jobs.command("explain", str(run_id))[1]
    jobs.wait_for_status(run_id)
    wait_until(lambda: f"The broker has {words}" not in overview(), overview)
    assert len(beat.lines("ERROR", "beat paused")) == 1
    assert "Traceback" not in beat.log
