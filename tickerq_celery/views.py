"""Values that users get, all frozen: the store as a manager read it at one moment, and the settings."""

from tickerq_celery.payload.codec import StoredRequest
from tickerq_celery.payload.expected_request import CheckedBy
from tickerq_celery.payload.results import RunResult
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.schedule.preview import BackfillPreview, Explanation, Upcoming
from tickerq_celery.tickers.actor import Actor
from tickerq_celery.tickers.audit import AuditEntry
from tickerq_celery.tickers.bulk import BulkJob, BulkSkip
from tickerq_celery.tickers.chain_trees import ChainChange, ChainRun, ChainTree
from tickerq_celery.tickers.counts import Count, RunCounts
from tickerq_celery.tickers.cron_batches import CronBatch, CronSkip
from tickerq_celery.tickers.cron_figures import CronFigures, CronOutcome
from tickerq_celery.tickers.explanations import FirstHeld, RunExplanation, Wait, WaitCause
from tickerq_celery.tickers.figures import (
    DurationBucket,
    EndCounts,
    ErrorGroup,
    ErrorGroups,
    Figures,
    FunctionFigures,
    Rebuild,
    RebuiltHour,
    Throughput,
    ThroughputPoint,
    TimingPoint,
    Timings,
    TimingSummary,
    TopFailing,
)
from tickerq_celery.tickers.function_names import FunctionName
from tickerq_celery.tickers.function_views import (
    FunctionVersion,
    FunctionView,
    SettingDifference,
    SettingValue,
)
from tickerq_celery.tickers.health import (
    Finding,
    FindingCode,
    HealthReport,
    Severity,
    Subject,
    SubjectKind,
)
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.node_views import LostNode, NodeState, NodeView
from tickerq_celery.tickers.outlook import Bound, Outlook, OutlookItem
from tickerq_celery.tickers.pages import Page, Walk
from tickerq_celery.tickers.pauses import Pause
from tickerq_celery.tickers.settings_report import SchemaView, SettingsReport, SettingView, TableSize
from tickerq_celery.tickers.summaries import CronSummary, RunSummary
from tickerq_celery.tickers.uncounted_ends import UncountedEnds
from tickerq_celery.tickers.views import Attempt, Cron, LogLine, Run

__all__ = [
    "Actor",
    "Attempt",
    "AuditEntry",
    "BackfillPreview",
    "Bound",
    "BulkJob",
    "BulkSkip",
    "ChainChange",
    "ChainRun",
    "ChainTree",
    "CheckedBy",
    "Count",
    "Cron",
    "CronBatch",
    "CronFigures",
    "CronOutcome",
    "CronSkip",
    "CronSummary",
    "DurationBucket",
    "EndCounts",
    "ErrorGroup",
    "ErrorGroups",
    "Explanation",
    "Figures",
    "Finding",
    "FindingCode",
    "FirstHeld",
    "FunctionFigures",
    "FunctionName",
    "FunctionVersion",
    "FunctionView",
    "HealthReport",
    "Listing",
    "LogLine",
    "LostNode",
    "NodeState",
    "NodeView",
    "Outlook",
    "OutlookItem",
    "Page",
    "Pause",
    "Rebuild",
    "RebuiltHour",
    "Run",
    "RunCounts",
    "RunExplanation",
    "RunResult",
    "RunSummary",
    "SchemaView",
    "SettingDifference",
    "SettingValue",
    "SettingView",
    "SettingsReport",
    "Severity",
    "StoredRequest",
    "Subject",
    "SubjectKind",
    "TableSize",
    "Throughput",
    "ThroughputPoint",
    "TickerConfig",
    "TimingPoint",
    "TimingSummary",
    "Timings",
    "TopFailing",
    "UncountedEnds",
    "Upcoming",
    "Wait",
    "WaitCause",
    "Walk",
]
