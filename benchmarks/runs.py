"""One run of one subject, in a process of its own that has a time limit."""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress

import psutil

from benchmarks.environments import ROOT, python_of
from benchmarks.outcomes import LeftOut, Round, measured_in
from benchmarks.servers import Servers
from benchmarks.subjects import Subject

LINES_OF_AN_ERROR = 1
CHARACTERS_OF_AN_ERROR = 300


def run(subject: Subject, servers: Servers, *, count: int, limit_seconds: float) -> Round | LeftOut:
    """Return what it measured, or why it did not."""
    try:
        with ExitStack() as stack:
            arguments = {**subject.keywords, "count": count}
            if subject.store is not None:
                arguments["store_url"] = stack.enter_context(servers.new_database(subject.store))
            if subject.broker is not None:
                arguments["broker_url"] = stack.enter_context(servers.new_database(subject.broker))
            command = [python_of(subject.environment), "-m", "benchmarks.one", subject.path]
            return _finished([*command, json.dumps(arguments)], limit_seconds)
    except subprocess.TimeoutExpired:
        reason = f"it took more than {limit_seconds:g} s"
    except Exception as error:  # noqa: BLE001 - whatever ails one subject, the others are measured
        reason = _last_words(str(error)) or type(error).__name__
    return LeftOut(subject=subject.name, reason=reason)


def _finished(command: Sequence[str], limit_seconds: float) -> Round:
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=limit_seconds)
        finally:
            _end_all(process)
    if process.returncode:
        raise RuntimeError(errors or f"it ended with {process.returncode}")
    return measured_in(output)


def _end_all(process: subprocess.Popen[str]) -> None:
    """End what it started: what is in its group, and below it in groups of their own."""
    below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for each in below:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def _last_words(errors: str) -> str:
    lines = [line for line in errors.strip().splitlines() if line.strip()]
    return " ".join(lines[-LINES_OF_AN_ERROR:])[:CHARACTERS_OF_AN_ERROR]
