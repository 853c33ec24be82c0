"""A process that cannot run says why in one line, and ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.thoroughness import in_verify

pytestmark = pytest.mark.acceptance

APP = """
from celery import Celery
from tickerq_celery import TickerQ
from tests.thoroughness import in_verify

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
def test_a_misspelt_setting_is_said_in_one_line(tmp_path: Path, command: tuple[str, ...], line: str) -> None:
    (tmp_path / "misspelt.py").write_text(APP)
    ended = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "misspelt", *command],
        cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert [each for each in printed.splitlines() if line in each], printed
    assert "Traceback" not in printed
