"""The exchange tables of the embedded broker: one folder per exchange, one file per binding.

A binding's file is named after its contents. Two processes that bind at once write two files, or the same
one, so there is no table that both would have to change.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from tickerq_celery.broker.embedded.queues import file_name, sweep_leftovers, write_whole
from tickerq_celery.clock import Clock, SystemClock

SUFFIX = ".json"


class Binding(NamedTuple):
    """One row of an exchange's table, in the order in which kombu unpacks it."""

    routing_key: str
    pattern: str
    queue: str


class BindingFolder:
    """The tables of all exchanges below one folder, shared by any number of processes."""

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self._control = root / "control"
        self._clock = clock if clock is not None else SystemClock()
        self._read: dict[Path, Binding] = {}

    def add(self, exchange: str, binding: Binding) -> None:
        """Add a binding to an exchange's table, unless it is there."""
        path = self._path(exchange, binding)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(binding).encode())

    def remove(self, exchange: str, binding: Binding) -> None:
        """Remove a binding from an exchange's table, if it is there."""
        self._path(exchange, binding).unlink(missing_ok=True)

    def remove_queues(self, file_names: list[str]) -> None:
        """Remove the bindings of queues, given by their file names, from all tables."""
        for table in self._tables() if file_names else []:
            for path, binding in self._rows(table):
                if file_name(binding.queue) in file_names:
                    path.unlink(missing_ok=True)

    def table(self, exchange: str) -> list[Binding]:
        """Return the bindings of an exchange."""
        return [binding for _, binding in self._rows(self._control / file_name(exchange))]

    def sweep(self) -> None:
        """Remove what processes killed long ago left behind."""
        for table in self._tables():
            sweep_leftovers(table, self._clock.now().timestamp())

    def _path(self, exchange: str, binding: Binding) -> Path:
        digest = hashlib.sha256(json.dumps(binding).encode()).hexdigest()
        return self._control / file_name(exchange) / f"{digest[:32]}{SUFFIX}"

    def _tables(self) -> list[Path]:
        return list(self._control.iterdir()) if self._control.is_dir() else []

    def _rows(self, table: Path) -> list[tuple[Path, Binding]]:
        rows = ((path, self._binding(path)) for path in sorted(table.glob(f"*{SUFFIX}")))
        return [(path, binding) for path, binding in rows if binding is not None]

    def _binding(self, path: Path) -> Binding | None:
        if path not in self._read:  # a file's name fixes its contents, so one reading is enough
            try:
                self._read[path] = Binding(*json.loads(path.read_bytes()))
            except (FileNotFoundError, TypeError, ValueError):  # gone, or emptied by a power cut
                return None
        return self._read[path]
