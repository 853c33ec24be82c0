"""The flag by which a worker's main process makes its children look for cancellations in the store."""

import mmap
import threading

_BYTES = 8


class CancelFlag:
    """A counter in memory that forks share: the main process raises it, and those forked from it see that."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _BYTES)
        self._mutex = threading.Lock()

    @property
    def count(self) -> int:
        """How often it was raised."""
        return int.from_bytes(self._memory[:_BYTES], "little")

    def set(self) -> None:
        """Let every child see that there may be a cancellation for it; for the main process only."""
        with self._mutex:
            self._memory[:_BYTES] = (self.count + 1).to_bytes(_BYTES, "little")
