"""The example's own tests, as its users run them: they pass, and touch nothing but the tests' store."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.verify  # the page's project, in test_testing_page.py, is tested alike
def test_the_examples_tests_pass_and_touch_no_other_store_and_no_broker(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    around = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TICKERQ"))}
    around |= {
        "PYTHONPATH": str(ROOT),
        "STORE_URL": f"sqlite:///{folder}/production.db",
        # Nothing listens there: each connection fails.
        "BROKER_URL": "redis://127.0.0.1:1/0",
        "SMTP_PORT": "1",
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "pytest_tickerq",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
    ]
    result = subprocess.run(
        [*command, str(ROOT / "examples/notifications")],
        cwd=folder,
        env=around,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert result.returncode == 0, result.stdout
    assert "9 passed" in result.stdout
    assert list(folder.iterdir()) == []
