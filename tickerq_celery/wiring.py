"""How a TickerQ's parts find each other."""

from collections.abc import Callable
from dataclasses import dataclass

from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime.core import Core
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
