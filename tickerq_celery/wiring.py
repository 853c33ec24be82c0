"""How a TickerQ's parts find each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from celery import Celery

from tickerq_celery.enums import NodeKind
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.nodes import NodeProfile
from tickerq_celery.worker.cancellation import Bell
from tickerq_celery.worker.exception_handler import HandlerCaller


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """Parts that are made when first called for: an app is configured after it is imported.

    ``own_core`` is for a process that becomes a node: from then on its parts write under its own identity.
    """

    core: Callable[[], Core]
    own_core: Callable[[], Core]
    recorder: Callable[[], Recorder]
    handler: Callable[[], HandlerCaller]
    bell: Callable[[], Bell]


def profile(
    core: Core,
    kind: NodeKind,
    *,
    version: str,
    queues: Sequence[str] = (),
    concurrency: int | None = None,
    prefetch: int | None = None,
    entries: Sequence[str] | None = None,
) -> NodeProfile:
    """Return what this process says of itself in its node row."""
    return NodeProfile(
        id=core.node.id,
        namespace=core.config.namespace,
        kind=kind,
        name=core.node.name,
        host=core.node.host,
        pid=core.node.pid,
        version=version,
        queues=queues,
        concurrency=concurrency,
        prefetch=prefetch,
        entries=entries,
        functions={function.name: function.limits for function in core.registry},
    )


def maybe_unwrapped(app: Celery) -> Celery:
    """Return the app behind the proxy that ``current_app`` and the command line hand out."""
    unwrap: Callable[[], Celery] | None = getattr(app, "_get_current_object", None)
    return app if unwrap is None else unwrap()


def is_finalised(app: Celery) -> bool:
    """Whether the app takes no more pending decorators."""
    finalised: bool = vars(app)["finalized"]
    return finalised
