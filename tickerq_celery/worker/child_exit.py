"""How a child of the prefork pool leaves, without Python's own way to end."""

import os
import signal
import threading
from typing import Any

from billiard.common import TERM_SIGNAME
from billiard.process import current_process
from celery import signals

from tickerq_celery.worker.event_loop import event_loop

_EX_FAILURE = 1


def pool_parent() -> int | None:
    """Return the id of the process that forked this one as a child of its pool, or None if none did.

    Celery sends ``worker_process_init`` also of the solo pool, in the worker's only process.
    """
    process: Any = current_process()
    parent: int | None = process._parent_pid  # noqa: SLF001 - it has no public name
    return parent


def prepare_exits() -> None:
    """Have this process's children leave in order; to be called before the pool forks them."""
    signals.worker_process_init.connect(_leave_if_orphaned, weak=False)
    signals.worker_process_shutdown.connect(_leave, weak=False)


def _leave_if_orphaned(**_: Any) -> None:
    # Celery has just asked the kernel to kill this child when its parent dies. It is not killed for a parent
    # that died before that, and a sibling that was killed holds the lock of their queue for ever.
    parent = pool_parent()
    if parent is not None and os.getppid() != parent:
        os._exit(_EX_FAILURE)


def _leave(**_: Any) -> None:
    event_loop().close()
    # The pool kills a child that says that it leaves. billiard blocks that signal in the child's main thread
    # while it holds the lock of the queue that all children share; any other thread would receive it, and the
    # lock be held for ever. The child ends by itself a second later.
    if threading.active_count() > 1:
        signal.signal(getattr(signal, TERM_SIGNAME), signal.SIG_IGN)
