"""What a test measures in a forked process, as it would change the test's own for good."""

import os
from collections.abc import Callable

from billiard.context import ForkContext


class Cycle:
    """An object that only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


def in_a_child(measure: Callable[[], int]) -> int:
    """Return what is measured in a forked process."""
    reads, writes = os.pipe()
    child = ForkContext().Process(target=_measure, args=(measure, writes))
    child.start()
    os.close(writes)
    with os.fdopen(reads) as said:
        answer = said.read()
    child.join()
    return int(answer)


def _measure(measure: Callable[[], int], writes: int) -> None:
    os.write(writes, str(measure()).encode())
    os._exit(0)
