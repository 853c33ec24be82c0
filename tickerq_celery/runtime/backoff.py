"""How long to wait before the next try to reach a server."""

import random


class Backoff:
    """Pauses in seconds that double from ``shortest`` up to ``longest``, each spread at random over its half.

    So that many processes which lost one server at one moment do not all return at another.
    """

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = max(shortest, longest)
        self._pause = shortest

    def next(self) -> float:
        """Return the next pause."""
        pause = self._pause
        self._pause = min(pause * 2, self._longest)
        return random.uniform(pause / 2, pause)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        """Begin with the shortest again: the server has answered."""
        self._pause = self._shortest
