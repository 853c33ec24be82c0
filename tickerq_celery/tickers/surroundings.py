"""What rooms that do not import Celery ask of it: the broker, Celery's router, and the app's tasks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerState:
    """The broker at one moment: its address without a password, and an ``error`` where it cannot be used."""

    address: str
    error: str | None


class Surroundings(Protocol):
    """What rooms that do not import Celery ask of it; wiring supplies the implementation."""

    def broker_state(self) -> BrokerState:
        """Return what the broker answers now, or a few seconds ago; it never takes longer than 5 s."""

    def broker_address(self) -> str | None:
        """Return where the broker is, in the form of node rows; None where there is no such transport."""

    def queue_of(self, function: str, queue: str | None) -> str | None:
        """Return the queue of a function's messages, or None where a route names an exchange only.

        ``queue`` is the run's own, None where Celery's router decides.

        Raises:
            Exception: What a router of the user's raises.
        """


class CeleryTasks(Protocol):
    """What a process knows of Celery tasks; wiring supplies the implementation."""

    @property
    def run_at_once(self) -> bool:
        """Whether a call runs its task at once, in this process: ``task_always_eager``."""

    def plain(self, value: object) -> Any:
        """Return a value of JSON's types, as the messages of Celery tasks have it.

        Raises:
            Exception: What Celery's JSON does not keep, with kombu's error or one of the value's own.
        """

    def names(self) -> Collection[str] | None:
        """Return the names of those that are imported; None for any name."""

    def dumped(self, name: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Return a task's arguments without the models that it takes, where it is known."""

    def check_arguments(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Check a task's arguments, where it is known.

        Raises:
            TypeError: An argument is missing, or the task has no such parameter.
        """
