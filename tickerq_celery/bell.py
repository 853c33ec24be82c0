"""How a worker's main process tells its children that there is something to read in the store."""

import mmap
import threading

_BYTES = 8


class Bell:
    """A counter in memory that forks share: one process rings, and those forked from it see that it rang."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _BYTES)
        self._mutex = threading.Lock()

    @property
    def rings(self) -> int:
        """How often it has rung."""
        return int.from_bytes(self._memory[:_BYTES], "little")

    def ring(self) -> None:
        """Let everybody see that there is news; for the main process only."""
        with self._mutex:
            self._memory[:_BYTES] = (self.rings + 1).to_bytes(_BYTES, "little")
