"""Processes of the app under load."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
FUNCTION, PLAIN_TASK = "Work", "benchmarks.load_app.work"


def celery(*arguments: str, environ: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start one of Celery's processes of the app under load."""
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.load_app", *arguments, "-l", "CRITICAL"]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def ended(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """End them: what they have left to do does not matter any more."""
    for each in processes:
        each.send_signal(signal.SIGQUIT)
    for each in processes:
        with suppress(subprocess.TimeoutExpired):
            each.wait(10)
        each.kill()
        each.wait()
