"""The queues of the embedded broker: one folder per queue, one file per message.

Whatever has a final name was complete before it got that name, and a message belongs to the process that
renames it first. That is all the locking there is, so any process may be killed at any line.
"""

import hashlib
import os
import re
import secrets
import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tickerq_celery.clock import Clock, SystemClock

READY = ".msg"
UNFINISHED = ".part"
CLAIMED = ".claimed"
DELETED = ".deleted-"
LIFETIME = "lifetime"
LEFTOVER_AGE = timedelta(hours=1)
LONGEST_NAME = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Capitals are escaped as well: some file systems do not distinguish them from small letters.
UNSAFE = re.compile(r"^\.|[^a-z0-9_.@-]")


def file_name(name: str) -> str:
    """Return a file name for any queue or exchange, and a different one for each."""
    escaped = UNSAFE.sub(lambda match: "".join(f"%{byte:02x}" for byte in match[0].encode()), name)
    if 0 < len(escaped) <= LONGEST_NAME:
        return escaped
    return f"%%{hashlib.sha256(name.encode()).hexdigest()}"  # no escaped name contains two signs in a row


def write_whole(path: Path, body: bytes) -> None:
    """Write a file that no reader ever sees half-written."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        unfinished.write_bytes(body)
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def sweep_leftovers(folder: Path, now: float) -> None:
    """Remove files that processes killed long ago were writing or reading."""
    for path in folder.iterdir():
        if path.suffix in (UNFINISHED, CLAIMED) and is_older(path, LEFTOVER_AGE.total_seconds(), now):
            path.unlink(missing_ok=True)


def is_older(path: Path, seconds: float, now: float) -> bool:
    """Return whether a file exists and was last written or touched so many seconds ago."""
    try:
        return now - path.stat().st_mtime > seconds
    except FileNotFoundError:
        return False


class QueueFolder:
    """All queues below one folder, shared by any number of processes."""

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self.root = root
        self._messages = root / "messages"
        self._rejected = root / "rejected"
        self._clock = clock if clock is not None else SystemClock()
        self._last_stamp = 0

    def create(self, queue: str, lifetime: timedelta | None = None) -> None:
        """Make a queue; with a lifetime, one to be swept once it was not used for so long."""
        folder = self._path(queue)
        folder.mkdir(parents=True, exist_ok=True)
        if lifetime is not None:
            write_whole(folder / LIFETIME, str(lifetime.total_seconds()).encode())

    def keep(self, queue: str) -> bool:
        """Begin the lifetime of a queue anew; return False if it has been swept."""
        try:
            os.utime(self._path(queue) / LIFETIME)
        except FileNotFoundError:
            return False
        return True

    def has(self, queue: str) -> bool:
        """Return whether the queue exists."""
        return self._path(queue).is_dir()

    def delete(self, queue: str) -> None:
        """Remove a queue with all its messages, if it is there."""
        self._delete_folder(self._path(queue))

    def publish(self, queue: str, body: bytes) -> bool:
        """Add a message behind all earlier ones of this publisher; return False if there is no such queue."""
        name = f"{self._next_stamp():016d}-{secrets.token_hex(4)}{READY}"
        try:
            write_whole(self._path(queue) / name, body)
        except FileNotFoundError:
            return False
        return True

    def waiting(self, queue: str) -> list[str]:
        """Return the names of the messages in a queue, oldest first."""
        try:
            return sorted(path.name for path in self._path(queue).iterdir() if path.suffix == READY)
        except FileNotFoundError:
            return []

    def claim(self, queue: str, name: str, owner: str) -> Path | None:
        """Return the message's file, from now on the caller's alone, or None if it was taken before."""
        folder = self._path(queue)
        try:
            return (folder / name).rename(folder / f"{name}.{owner}{CLAIMED}")
        except FileNotFoundError:
            return None

    def reject(self, claimed: Path) -> Path:
        """Put a claimed message aside for a person to look at; return where."""
        self._rejected.mkdir(parents=True, exist_ok=True)
        return claimed.rename(self._rejected / f"{claimed.parent.name}.{claimed.name}")

    def purge(self, queue: str) -> int:
        """Remove the waiting messages of a queue; return how many."""
        return sum(removed(self._path(queue) / name) for name in self.waiting(queue))

    def sweep(self) -> list[str]:
        """Remove what killed processes left and unused queues; return the file names of the latter."""
        self._messages.mkdir(parents=True, exist_ok=True)
        now = self._clock.now().timestamp()
        expired = []
        for folder in self._messages.iterdir():
            if folder.name.startswith(DELETED):
                shutil.rmtree(folder, ignore_errors=True)
            elif folder.is_dir() and self._is_swept(folder, now):
                expired.append(folder.name)
        return expired

    def _path(self, queue: str) -> Path:
        return self._messages / file_name(queue)

    def _next_stamp(self) -> int:
        """Return the wall clock in microseconds, or the last stamp plus one: a name never goes back."""
        now = (self._clock.now() - EPOCH) // MICROSECOND
        self._last_stamp = max(now, self._last_stamp + 1)
        return self._last_stamp

    def _is_expired(self, folder: Path, now: float) -> bool:
        mark = folder / LIFETIME
        try:
            seconds = float(mark.read_bytes())
        except FileNotFoundError:
            return False
        except ValueError:  # emptied by a power cut: nothing is synced to the disk here
            seconds = LEFTOVER_AGE.total_seconds()
        return is_older(mark, seconds, now)

    def _is_swept(self, folder: Path, now: float) -> bool:
        """Remove a queue that is not used, else what was left in it; return whether the queue went."""
        if self._is_expired(folder, now):
            self._delete_folder(folder)
            return True
        # Another process may delete the queue meanwhile.
        with suppress(FileNotFoundError):
            sweep_leftovers(folder, now)
        return False

    def _delete_folder(self, folder: Path) -> None:
        # Renamed first, so that a publisher finds either the whole queue or none.
        doomed = self._messages / f"{DELETED}{secrets.token_hex(8)}"
        try:
            folder.rename(doomed)
        except FileNotFoundError:
            return
        shutil.rmtree(doomed, ignore_errors=True)


def removed(path: Path) -> bool:
    """Remove a file; return False if another process was faster."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
