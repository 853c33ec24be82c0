"""Which functions live workers have, and with which limits."""

from collections.abc import Mapping

from sqlalchemy import Connection

from tickerq_celery.function_limits import FunctionLimits
from tickerq_celery.store import nodes


class KnownFunctions:
    """Asks the store what live workers have; what it learned of a set of functions stays true."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        # A hash stands for one set of functions for ever, so what it means is read once.
        self._sets: dict[str, dict[str, FunctionLimits]] = {}

    def read(self, connection: Connection) -> Mapping[str, FunctionLimits]:
        """Return the functions that live workers have.

        Where workers differ, as in a rolling deployment, the strictest limits count.
        """
        hashes = nodes.worker_hashes(connection, self._namespace)
        missing = hashes - self._sets.keys()
        if missing:
            self._sets |= nodes.function_sets(connection, self._namespace, missing)
        known: dict[str, FunctionLimits] = {}
        for each in hashes & self._sets.keys():
            for name, limits in self._sets[each].items():
                known[name] = limits.stricter(known[name]) if name in known else limits
        return known
