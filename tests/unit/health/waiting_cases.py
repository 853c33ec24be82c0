"""Runs that wait, and what is known about them, as plain values."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.manual_clock import START
from tickerq_celery.enums import NodeKind, OnLost, TickerKind, TickerPriority, TickerStatus, TickerType
from tickerq_celery.health.waiting.case import Outside, WaitingCase
from tickerq_celery.health.waiting.facts import WaitingFacts
from tickerq_celery.store.health.waiting import OtherRun, Registered, WaitingRun
from tickerq_celery.views import NodeState, NodeView, TickerConfig

RUN, OTHER, CRON, WORKER, BEAT = (UUID(int=number) for number in range(1, 6))
NOW = START
REGISTERED = Registered(on_lost=OnLost.RETRY, rate_free_at=None, registered_at=START, request_schema=None)


def other(**fields: Any) -> OtherRun:
    """Return a run that another one waits for: one in progress on the worker ``w1``."""
    shown = dict.fromkeys(OtherRun.__dataclass_fields__)
    shown |= {
        "id": OTHER,
        "kind": TickerKind.FUNCTION,
        "function": "Send",
        "status": TickerStatus.IN_PROGRESS,
        "has_children": False,
        "running_on": WORKER,
        "lock_holder": "w1",
        "locked_at": NOW,
        "started_at": NOW,
    }
    return OtherRun(**shown | fields)


def waiting(**fields: Any) -> WaitingRun:
    """Return an Idle run of the function ``Send`` that is due now."""
    shown = dict.fromkeys(WaitingRun.__dataclass_fields__)
    shown |= {
        "id": RUN,
        "kind": TickerKind.FUNCTION,
        "type": TickerType.TIME_TICKER,
        "function": "Send",
        "status": TickerStatus.IDLE,
        "has_children": False,
        "due_at": NOW if "held_for" not in fields else None,
        "claim_no": 0,
        "retries": 0,
        "retry_count": 0,
        "rescue_count": 0,
        "priority": TickerPriority.NORMAL,
        "tags": (),
        "execution_time": NOW,
    }
    return WaitingRun(**shown | fields)


def node(kind: NodeKind = NodeKind.WORKER, state: NodeState = NodeState.ALIVE, **fields: Any) -> NodeView:
    """Return a node; a worker ``w1`` consumes the queue ``celery`` and has ``Send``."""
    is_worker = kind is NodeKind.WORKER
    shown = dict.fromkeys(NodeView.__dataclass_fields__)
    shown |= {
        "id": WORKER if is_worker else BEAT,
        "namespace": "shop",
        "kind": kind,
        "name": "w1" if is_worker else "b1",
        "state": state,
        "queues": ("celery",) if is_worker else (),
        "functions": ("Send",) if is_worker else (),
        "missing_functions": (),
        "clock_offset": timedelta(0),
        "heartbeat": timedelta(seconds=10),
        "lease": timedelta(seconds=30),
        "started_at": NOW,
        "seen_at": NOW,
        "silent_for": timedelta(0),
        "ticked_at": None if is_worker else NOW,
        "running": 0,
    }
    return NodeView(**shown | fields)


WELL = (node(), node(NodeKind.BEAT))


def case(run: WaitingRun | None = None, *, outside: Outside | None = None, **facts: Any) -> WaitingCase:
    """Return a run, due unless it is given, in a namespace with a beat and a worker that are well."""
    known = {"at": NOW, "run": run or waiting(), "nodes": WELL, "registered": REGISTERED, **facts}
    return WaitingCase(
        facts=WaitingFacts(**known),
        config=TickerConfig(max_queued=100),
        outside=outside or Outside(),
    )
