"""Log once that runs of another namespace reach a worker."""

import logging

logger = logging.getLogger(__name__)


class MisroutedLog:
    """Logs one error for each namespace and queue from which runs reach a worker of ``namespace``."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._logged: set[tuple[str, str]] = set()

    def note(self, owner: str, queue: str) -> None:
        """Log that a run of the namespace ``owner`` came through a queue, unless it was logged."""
        if (owner, queue) in self._logged:
            return
        self._logged.add((owner, queue))
        logger.error(
            "runs of namespace %s reach this worker of namespace %s through queue %s: "
            "give each namespace queues of its own, or one name to both",
            owner, self._namespace, queue,
        )  # fmt: skip
