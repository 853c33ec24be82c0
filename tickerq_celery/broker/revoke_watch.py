"""Notice which messages a process revokes: ``app.control.revoke``, and all of Celery's that calls it."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from celery import Celery
from celery.utils.imports import instantiate
from kombu.utils.functional import maybe_list
from kombu.utils.imports import symbol_by_name


class RevokeWatch:
    """Makes the control of an app, whose ``revoke`` calls ``revoked`` with the task ids after the broadcast.

    After it, so that a call which is claimed meanwhile is known as revoked by the worker that gets it; also
    where the broker takes no broadcast.
    """

    def __init__(self, control_class: Any, revoked: Callable[[Collection[str]], None]) -> None:
        self._control_class = control_class
        self._revoked = revoked

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return a control of the app's own class."""
        control = instantiate(self._control_class, *args, **options)
        self.watch(control)
        return control

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy of an app in another process makes a watch of its own, or has none.
        return symbol_by_name, (self._control_class,)

    def watch(self, control: Any) -> None:
        """Put the watch before the ``revoke`` of a control, whatever its class has there."""
        control.revoke = partial(self._revoke, control.revoke)

    def _revoke(self, own: Callable[..., Any], task_id: Any, *args: Any, **options: Any) -> Any:
        try:
            return own(task_id, *args, **options)
        finally:
            self._revoked([str(each) for each in maybe_list(task_id) or ()])


def watch_revokes(app: Celery, revoked: Callable[[Collection[str]], None]) -> None:
    """Let ``revoked`` be called with what this process revokes; it must not raise."""
    any_app: Any = app
    watch = RevokeWatch(any_app.control_cls, revoked)
    any_app.control_cls = watch
    if "control" in vars(app):
        # It was made before.
        watch.watch(any_app.control)
