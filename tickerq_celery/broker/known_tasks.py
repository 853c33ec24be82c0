"""The Celery tasks that a process has imported: only their own code says what their calls need."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from celery import Celery, Task

from tickerq_celery.broker.plain_json import plain
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.tickers.claims import Due


class AnyTask:
    """Tasks of which nothing is known: each name may be that of one, which may take whatever is given."""

    run_at_once: bool = False

    def plain(self, value: object) -> Any:
        """Return a value of JSON's types; raises what ``plain_json.plain`` does."""
        return plain(value)

    def names(self) -> Collection[str] | None:
        """Return None: it may be any."""
        return None

    def dumped(self, name: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Return arguments as they are."""
        return args, kwargs

    def check_arguments(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Refuse none."""


class KnownTasks(AnyTask):
    """The tasks of an app, as far as this process has imported them."""

    def __init__(self, app: Celery, codec: RequestCodec) -> None:
        self._app = app
        self._codec = codec

    @property
    def run_at_once(self) -> bool:  # type: ignore[override]
        """Whether a call runs its task at once."""
        return bool(self._app.conf.task_always_eager)

    def may_publish(self, due: Due) -> bool:
        """Return True unless a run's message would lack the options of its task, which is not known here.

        One that ``durable_eta`` keeps has them already.
        """
        if due.call is None or due.function in self._app.tasks:
            return True
        try:
            return CeleryCall.decoded(self._codec.unpack(due.call) or b"").message is not None
        except UnreadableRequestError:
            return False

    def names(self) -> Collection[str]:
        """Return their names."""
        return self._app.tasks.keys()

    def dumped(self, name: str, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Return arguments with pydantic models as Celery sends them to a task of ``pydantic=True``.

        Where the task is not known here, takes no models, or Celery (before 5.7) dumps none, they are
        returned as they are; so is a model that the task would not get back as an equal one.
        """
        dump = getattr(self._app.tasks.get(name), "_dump_pydantic_arguments", None)
        found: tuple[Any, Any] = (args, kwargs) if dump is None else dump(args, kwargs)
        return found

    def check_arguments(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Check a call as Celery does, where the task is known here.

        Raises:
            TypeError: An argument is missing, or the task has no such parameter.
        """
        task: Any = self._app.tasks.get(name)
        # An apply_async of the task's own may add arguments, which is done at the publication.
        if task is None or not task.typing or type(task).apply_async is not Task.apply_async:
            return
        task.__header__(*args, **kwargs)
