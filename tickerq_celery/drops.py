"""Why a worker drops a message, and how many it has dropped since it last said so."""

import threading
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum


class DropReason(StrEnum):
    """Why a message, or the end of an attempt, was dropped."""

    UNKNOWN_ID = "unknown_id"
    OLD_CLAIM = "old_claim"
    STARTED_ALREADY = "started_already"
    SUPERSEDED = "superseded"
    BROKEN_HEADER = "broken_header"
    UNADDRESSED = "unaddressed"
    UNDECODABLE = "undecodable"
    UNKNOWN_TASK = "unknown_task"
    INVALID = "invalid"


class Tally:
    """Counts drops by reason, for several threads."""

    def __init__(self) -> None:
        self._counts: Counter[DropReason] = Counter()
        self._mutex = threading.Lock()

    def note(self, reason: DropReason) -> None:
        """Count one drop."""
        with self._mutex:
            self._counts[reason] += 1

    def take(self) -> Mapping[DropReason, int]:
        """Return what was counted since the last call."""
        with self._mutex:
            taken, self._counts = self._counts, Counter()
        return taken

    def put_back(self, counts: Mapping[DropReason, int]) -> None:
        """Keep what was taken and could not be written."""
        with self._mutex:
            self._counts.update(counts)
