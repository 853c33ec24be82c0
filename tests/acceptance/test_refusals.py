"""A process that cannot run says why in one line, and ends."""

import os
from pathlib import Path

import pytest
from werkzeug.security import generate_password_hash

from tests.acceptance.processes import CeleryProcess
from tests.acceptance.warm import WarmServer
from tests.thoroughness import in_verify

pytestmark = pytest.mark.acceptance

APP = """
from celery import Celery
from tickerq_celery import TickerQ

app = Celery("misspelt", broker="memory://")
app.conf.tickerq_leese = 3
tickerq = TickerQ(app, store_url="sqlite:///tickers.db")
"""


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("worker", "--pool", "solo"), "this worker cannot run: tickerq_leese: no such setting"),
        (("beat",), "beat cannot run: tickerq_leese: no such setting"),
        in_verify(("tickerq", "check"), "Error: tickerq_leese: no such setting"),
        in_verify(("tickerq", "dashboard"), "Error: tickerq_leese: no such setting"),
    ],
)
def test_a_misspelt_setting_is_said_in_one_line(
    tmp_path: Path, warm_server: WarmServer, command: tuple[str, ...], line: str
) -> None:
    (tmp_path / "misspelt.py").write_text(APP)
    users = {"TICKERQ_DASHBOARD_USERS": f"ann:{generate_password_hash('p')}"}
    process = CeleryProcess(
        "misspelt", command, folder=tmp_path, environ={**os.environ, **users},
        program=("celery", "-A", "misspelt"), launch=warm_server.launch,
    )  # fmt: skip
    assert process.wait() == 1
    assert process.lines(line), process.log
    assert "Traceback" not in process.log
