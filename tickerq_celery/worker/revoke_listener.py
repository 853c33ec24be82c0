"""Listen for Celery's revoke command in a worker, and report which messages it names."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from celery import Celery
from celery.worker.control import Panel
from kombu.utils.functional import maybe_list

from tickerq_celery.broker.messages import REVOKE_COMMAND


class RevokeListener:
    """Calls ``revoked`` with the ids of each command that a worker of this app gets, from its event loop."""

    def __init__(self, app: Celery, revoked: Callable[[Collection[str]], object]) -> None:
        self._app = app
        self._revoked = revoked
        self._own: Any = None
        self._handler: Any = None

    def listen(self) -> None:
        """Put the handler before the command that is registered."""
        # The registry is the process's, which may hold workers of several apps.
        self._own = Panel.data[REVOKE_COMMAND]
        self._handler = partial(self._on_command, self._own)
        Panel.data[REVOKE_COMMAND] = self._handler

    def close(self) -> None:
        """Remove the handler; where another one was put before it, it stays, and ignores other apps."""
        if Panel.data.get(REVOKE_COMMAND) is self._handler:
            Panel.data[REVOKE_COMMAND] = self._own

    def _on_command(self, own: Any, state: Any, task_id: Any = None, **options: Any) -> Any:
        """Revoke task by task id (or list of ids)."""
        try:
            return own(state, task_id, **options)
        finally:
            if state.app is self._app:
                self._revoked([str(each) for each in maybe_list(task_id) or ()])
