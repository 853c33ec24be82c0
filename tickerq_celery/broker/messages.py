"""What a message of ours is called and carries: task names, the header, priorities."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tickerq_celery.enums import TickerKind, TickerPriority
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.tickers.celery_task import OUR_TASKS
from tickerq_celery.tickers.claims import Claim, Started, TaskExecution

# Kombu serves Redis's smallest first, in steps of 0, 3, 6 and 9; RabbitMQ its largest. A long run is no
# urgent one: it is kept apart by a queue of its own.
_ON_REDIS = {
    TickerPriority.HIGH: 0,
    TickerPriority.NORMAL: 3,
    TickerPriority.LONG_RUNNING: 3,
    TickerPriority.LOW: 6,
}
_ON_RABBITMQ = {
    TickerPriority.HIGH: 9,
    TickerPriority.NORMAL: 5,
    TickerPriority.LONG_RUNNING: 5,
    TickerPriority.LOW: 1,
}
_SCALES: Mapping[str, Mapping[TickerPriority, int]] = {
    "redis": _ON_REDIS,
    "rediss": _ON_REDIS,
    "sentinel": _ON_REDIS,
    "amqp": _ON_RABBITMQ,
    "amqps": _ON_RABBITMQ,
    "pyamqp": _ON_RABBITMQ,
}
HEADER = "ticker"
# Of the message of a Celery task: [run id, claim number], for the workers that report what becomes of it.
# Celery hands it on when the task retries.
CALL_HEADER = "tickerq_call"
CANCEL_COMMAND = "tickerq_cancel"
REVOKE_COMMAND = "revoke"
LOST_TASK = f"{OUR_TASKS}lost_attempt"
_LARGEST_NUMBER = 2**31 - 1


def message_priority(priority: TickerPriority, transport: str) -> int | None:
    """Return the priority of a message on a kombu transport, or None where the transport knows none."""
    scale = _SCALES.get(transport.partition("+")[0])
    return None if scale is None else scale[priority]


def call_id(claim: Claim) -> str:
    """Return the id of the message of a Celery task's call."""
    return claim.task_id or str(claim.id)


def options_of_row(claim: Claim, call: CeleryCall, transport: str) -> dict[str, Any]:
    """Return the queue and priority that a row adds to the options of its call, or replaces of them."""
    options: dict[str, Any] = {} if claim.queue is None else {"queue": claim.queue}
    # Most apps give their tasks no priority, and such a message must not wait behind all others.
    is_asked = claim.priority is not TickerPriority.NORMAL and call.options.get("priority") is None
    priority = message_priority(claim.priority, transport) if is_asked else None
    return options if priority is None else {**options, "priority": priority}


def cancel_command(run: Started, *, terminate: bool) -> tuple[str, dict[str, object]]:
    """Return the control command that ends a run, and its arguments: for a Celery task Celery's own."""
    if run.kind is TickerKind.CELERY_TASK:
        return REVOKE_COMMAND, {"task_id": run.task_id or str(run.id), "terminate": terminate}
    return CANCEL_COMMAND, {"ticker_id": str(run.id), "claim_no": run.claim_no, "terminate": terminate}


def is_own_task(name: str) -> bool:
    """Return True if a task is the application's own: neither Celery's nor that of a function."""
    return not name.startswith(("celery.", OUR_TASKS))


def task_name(function: str) -> str:
    """Return the name of the Celery task that runs a function."""
    return f"{OUR_TASKS}{function}"


def task_id(ticker_id: UUID, claim_no: int) -> str:
    """Return the Celery task id of a claim: workers remember revoked ids, so each claim has its own."""
    return f"{ticker_id}:{claim_no}"


def parsed_task_id(task_id: object) -> tuple[UUID, int]:
    """Return the ticker id and claim number of a Celery task id.

    Raises:
        ValueError: It is not the id of a claim.
    """
    ticker_id, _, number = str(task_id).partition(":")
    return UUID(ticker_id), int(number)


def header_of(headers: object) -> object:
    """Return what a message says of its ticker, or None where it is none of ours."""
    return headers.get(HEADER) if isinstance(headers, dict) else None


def execution_in(headers: object, retries: object) -> TaskExecution | None:
    """Return the execution that the message of a Celery task asks for, or None where no run of ours is named.

    ``retries`` is Celery's count in the message.
    """
    if not isinstance(headers, Mapping) or headers.get(CALL_HEADER) is None:
        return None
    # Not its `shadow`, which is what Celery shows in place of the name.
    task, message_id = headers.get("task"), headers.get("id")
    if not isinstance(task, str) or not isinstance(message_id, str):
        return None
    if type(retries) is not int or not 0 <= retries <= _LARGEST_NUMBER:
        return None
    try:
        ticker_id, claim_no = parsed_header(headers[CALL_HEADER])
    except ValueError:
        return None
    return TaskExecution(id=ticker_id, claim_no=claim_no, task=task, task_id=message_id, retries=retries)


def execution_of_request(request: Any) -> TaskExecution | None:
    """Return the execution that a task's request asks for, or None where no run of ours is named.

    The message's headers are attributes of the request. Its ``headers`` need not be them: a tracer may have
    put its own into that place of the message. Of what a body runs eagerly, which is no message, only
    ``headers`` may have ours.
    """
    headers = {name: getattr(request, name, None) for name in (CALL_HEADER, "task", "id")}
    return execution_in(headers, getattr(request, "retries", None))


def hand_on(execution: TaskExecution, request: Any) -> None:
    """Let a retry of a task's request carry the header that its own message has."""
    header = header_for(execution.id, execution.claim_no)
    request.headers = {**(request.headers or {}), CALL_HEADER: header}


def header_for(ticker_id: UUID, claim_no: int) -> list[str | int]:
    """Return the header of a claim's message, which ``parsed_header`` reads."""
    return [str(ticker_id), claim_no]


def parsed_header(header: object) -> tuple[UUID, int]:
    """Return the ticker id and claim number of a header.

    Raises:
        ValueError: It is garbage.
    """
    if not isinstance(header, list | tuple) or len(header) != 2:
        raise ValueError(f"not [id, claim number]: {json.dumps(header, default=str)[:200]}")
    ticker_id, number = header
    if not isinstance(ticker_id, str) or type(number) is not int or not 0 < number <= _LARGEST_NUMBER:
        raise ValueError(f"not [id, claim number]: {str(header)[:200]}")
    return UUID(ticker_id), number
