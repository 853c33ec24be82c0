"""The FastAPI example, started with the commands of its page: orders and tickers commit together."""

import json
import os
import re
import shlex
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.acceptance.processes import ROOT, CeleryProcess
from tests.acceptance.waiting import wait_until
from tests.acceptance.warm import WarmServer
from tests.servers.ports import free_port
from tickerq_celery import TickerQ

pytestmark = pytest.mark.acceptance

PAGE = (ROOT / "examples" / "fastapi_host" / "README.md").read_text()
COMMANDS = re.findall(r"^(?:python -m|celery|uvicorn) .*$", PAGE, re.MULTILINE)


def environ(folder: Path) -> Mapping[str, str]:
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    [variable] = re.findall(r"^export (\w+=\w+)$", PAGE, re.MULTILINE)
    return {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **dict([variable.split("=")])}


def module_of(command: str) -> list[str]:
    words = shlex.split(command)
    return words[2:] if words[0] == "python" else words


@pytest.fixture
def address(tmp_path: Path, warm_server: WarmServer) -> Iterator[str]:
    """Where the web app listens, beside a worker and a beat."""
    port = free_port()
    with ExitStack() as stack:

        def start(name: str, command: str) -> CeleryProcess:
            process = CeleryProcess(
                name,
                module_of(command),
                program=(),
                folder=tmp_path,
                environ=environ(tmp_path),
                launch=warm_server.launch,
            )
            stack.callback(process.kill)
            return process

        migrate, *services = COMMANDS
        assert start("migrate", migrate).wait() == 0
        for number, command in enumerate(services):
            process = start(f"service{number}", command.replace("8000", str(port)))
        process.wait_for("Uvicorn running")
        yield f"http://127.0.0.1:{port}"


def ask(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_an_order_is_confirmed_once_and_a_refused_one_leaves_no_ticker(address: str, tmp_path: Path) -> None:
    order = ask(f"{address}/orders", {"item": "tea", "amount": 2})
    shown: Callable[[], Any] = lambda: ask(f"{address}/orders/{order['orderId']}")  # noqa: E731
    wait_until(lambda: shown()["confirmations"] == 1, lambda: str(shown()))
    with pytest.raises(urllib.error.HTTPError, match="422"):
        ask(f"{address}/orders", {"item": "tea", "amount": 0})
    tickerq = TickerQ(
        Celery("fastapi_host", broker="memory://", set_as_current=False), f"sqlite:///{tmp_path}/tickerq.db"
    )
    runs = tickerq.runs.find()
    tickerq.close()
    assert [(str(run.id), run.request, run.status.name) for run in runs] == [
        (order["runId"], {"order_id": order["orderId"]}, "DONE")
    ]
