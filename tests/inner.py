"""Inner names that many tests import: when a module of the package moves, this is what changes."""

from tickerq_celery import failpoints
from tickerq_celery.broker.embedded import transport
from tickerq_celery.broker.embedded.transport import Transport, broker_folder, broker_url, register
from tickerq_celery.broker.messages import (
    CALL_HEADER,
    LOST_TASK,
    cancel_command,
    execution_in,
    execution_of_request,
    hand_on,
    message_priority,
    parsed_header,
    task_id,
    task_name,
)
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.cli.commands import celery_command, tickerq_command
from tickerq_celery.cron import overlap
from tickerq_celery.cron.overlap import (
    BUFFERED_REASON,
    CANCELLED_REASON,
    REPLACED_REASON,
    TAKEN_REASON,
    advance_queues,
)
from tickerq_celery.failpoints import CrashPoint
from tickerq_celery.functions.definition import Function, make_function
from tickerq_celery.functions.limits import FunctionLimits, Rate, limits_from, slower
from tickerq_celery.functions.registry import Registry
from tickerq_celery.ids import new_id
from tickerq_celery.managers import pauses
from tickerq_celery.runs import dispatcher
from tickerq_celery.runs.claimer import Claimed, Claimer
from tickerq_celery.runs.dispatcher import Dispatcher
from tickerq_celery.runs.recorder import Recorder
from tickerq_celery.runtime import core
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.runtime.node import VERSION, NodeRegistration, profile
from tickerq_celery.schedule.bounds import Bounds, checked_bounds, delay_of
from tickerq_celery.schedule.planner import (
    MOST_INSTANTS,
    Misfire,
    Plan,
    first_part,
    next_part,
    plan,
    within_runs,
)
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.schema import SCHEMA, VERSION_TABLE, Schema, migrate, verify
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.database.urls import parsed_url, resolved_url, shown_store
from tickerq_celery.tickers import chains, claims, lifecycle
from tickerq_celery.tickers.chains import MOST_LEVELS, MOST_NODES, UNMET_REASON, is_met, unmet_reason
from tickerq_celery.tickers.claims import CancelRequest, Claim, Due, Slot, Started, TaskExecution, slot_of
from tickerq_celery.tickers.drop_reasons import DropReason
from tickerq_celery.tickers.lifecycle import (
    LOST,
    REFUSED_TEXTS,
    Failure,
    Outcome,
    Standing,
    cancelled,
    failed,
    outcome_of,
    published_again,
    put_back,
    rejected,
    retried_by_celery,
    skipped,
    succeeded,
    terminated,
)
from tickerq_celery.worker.signal_reports import RevokeReport, SignalKind, SignalReport

__all__ = [
    "BUFFERED_REASON",
    "CALL_HEADER",
    "CANCELLED_REASON",
    "LOST",
    "LOST_TASK",
    "MOST_INSTANTS",
    "MOST_LEVELS",
    "MOST_NODES",
    "REFUSED_TEXTS",
    "REPLACED_REASON",
    "SCHEMA",
    "TAKEN_REASON",
    "UNMET_REASON",
    "VERSION",
    "VERSION_TABLE",
    "Bounds",
    "CancelRequest",
    "CeleryPublisher",
    "Claim",
    "Claimed",
    "Claimer",
    "Core",
    "CrashPoint",
    "Database",
    "Dispatcher",
    "DropReason",
    "Due",
    "Failure",
    "Function",
    "FunctionLimits",
    "Misfire",
    "NodeRegistration",
    "Outcome",
    "Plan",
    "Rate",
    "Recorder",
    "Registry",
    "RevokeReport",
    "Schema",
    "SignalKind",
    "SignalReport",
    "Slot",
    "Standing",
    "Started",
    "TaskExecution",
    "Transaction",
    "Transport",
    "advance_queues",
    "broker_folder",
    "broker_url",
    "cancel_command",
    "cancelled",
    "celery_command",
    "chains",
    "checked_bounds",
    "claims",
    "core",
    "delay_of",
    "dispatcher",
    "execution_in",
    "execution_of_request",
    "failed",
    "failpoints",
    "first_part",
    "hand_on",
    "is_met",
    "lifecycle",
    "limits_from",
    "make_function",
    "message_priority",
    "migrate",
    "new_id",
    "new_identity",
    "next_part",
    "outcome_of",
    "overlap",
    "parsed_header",
    "parsed_url",
    "pauses",
    "plan",
    "profile",
    "published_again",
    "put_back",
    "register",
    "rejected",
    "resolved_url",
    "retried_by_celery",
    "savepoint",
    "shown_store",
    "skipped",
    "slot_of",
    "slower",
    "succeeded",
    "task_id",
    "task_name",
    "terminated",
    "tickerq_command",
    "transport",
    "unmet_reason",
    "verify",
    "within_runs",
]
