"""Settings of Celery's under which no run would start, or not as its user expects."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from celery import Celery
from kombu import serialization
from kombu.exceptions import KombuError

from tickerq_celery.broker.routes import missing_queue
from tickerq_celery.errors import ConfigError
from tickerq_celery.wording import exactly, shortened

_HEADERS_SINCE = 2


def refuse_settings(app: Celery, queues: Iterable[tuple[str, str | None]]) -> None:
    """Refuse settings under which runs are published in vain, or not at all; see ``flaws``.

    Raises:
        ConfigError: The first of ``flaws``.
    """
    for flaw in flaws(app, queues):
        raise flaw


def flaws(app: Celery, queues: Iterable[tuple[str, str | None]]) -> Iterator[ConfigError]:
    """Yield what is wrong with each setting that keeps runs from starting.

    ``queues`` are functions, each with a queue of its runs: None where Celery's router decides.
    """
    refused = _refused_content(app.conf.accept_content)
    if refused is not None:
        yield ConfigError("accept_content", refused)
    if app.conf.task_protocol != _HEADERS_SINCE:
        yield ConfigError(
            "task_protocol",
            f"messages of protocol {app.conf.task_protocol} carry no headers, and would name no ticker: "
            f"use {_HEADERS_SINCE}",
        )
    for function, queue in queues:
        reason = missing_queue(app, function, queue)
        if reason is not None:
            yield ConfigError(
                "task_create_missing_queues",
                f"it is off, and runs of {function} could not be published: {reason}",
            )


def eager_warning(app: Celery) -> str | None:
    """Return what ``task_always_eager`` means for tickers, or None where it is off."""
    if not app.conf.task_always_eager:
        return None
    return (
        "task_always_eager has no effect on tickers: each is stored, and a worker runs it. "
        "In a test, use the fixture `tickerq`, under which it runs at once what is due"
    )


def control_warning(app: Celery, heartbeat: timedelta) -> str | None:
    """Return what it means that workers take no control commands, or None where they do."""
    if app.conf.worker_enable_remote_control:
        return None
    return (
        "worker_enable_remote_control is off: a cancellation reaches a running function with its worker's "
        f"next heartbeat, up to {exactly(heartbeat)} later, instead of at once"
    )


def _refused_content(setting: Any) -> str | None:
    """Return why a worker that accepts only this content drops the messages of tickers, or None."""
    kombus: Any = serialization
    try:
        accepted = kombus.prepare_accept_content(setting)
    except KombuError as error:
        return f"{error} (got {shortened(setting)})"
    # None is kombu's own default, which has JSON.
    if accepted is None or kombus.registry.name_to_type["json"] in accepted:
        return None
    return f"add 'json': tickers' messages are JSON, and workers would drop them (got {shortened(setting)})"
