"""The file to which bodies append what happens to them: one line, one write, whole also in a crash."""

import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.soak.traces import Ended, Started

START, DONE, FAILED = "start", "done", "failed"


def append(path: Path, word: str, *, task_id: str, function: str) -> None:
    """Add a line about the body that runs under a Celery task id, ``<ticker id>:<claim number>``."""
    ticker_id, _, claim_no = task_id.partition(":")
    line = f"{word} {ticker_id} {claim_no} {os.getpid()} {time.time():.6f} {function}\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def parse(lines: Iterable[str]) -> tuple[tuple[Started, ...], tuple[Ended, ...]]:
    """Return what the lines of the file say.

    Raises:
        ValueError: A line is none of ours.
    """
    started: list[Started] = []
    ended: list[Ended] = []
    for line in lines:
        word, ticker_id, claim_no, pid, at, function = line.split()
        where: dict[str, Any] = {
            "ticker_id": UUID(ticker_id),
            "claim_no": int(claim_no),
            "pid": int(pid),
            "at": datetime.fromtimestamp(float(at), UTC),
        }
        if word == START:
            started.append(Started(function=function, **where))
        elif word in {DONE, FAILED}:
            ended.append(Ended(has_failed=word == FAILED, **where))
        else:
            raise ValueError(f"neither start nor end: {line}")
    return tuple(started), tuple(ended)
