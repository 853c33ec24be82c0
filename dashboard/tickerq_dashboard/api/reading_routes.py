"""The rows of the route table from which programs read."""

from collections.abc import Callable

from flask import Response
from pydantic import BaseModel

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.api import (
    bulk,
    cron_answers,
    crons,
    figure_answers,
    figures,
    openapi,
    run_reports,
    runs,
    system,
)
from tickerq_dashboard.api import queries as asked
from tickerq_dashboard.api import run_answers as run_model
from tickerq_dashboard.api import system_answers as system_model
from tickerq_dashboard.api.chain_answers import ChainAnswer
from tickerq_dashboard.api.function_answers import FunctionAnswer, FunctionList
from tickerq_dashboard.api.node_answers import NodesAnswer
from tickerq_dashboard.api.pause_answers import PauseList
from tickerq_dashboard.filters import ListQuery
from tickerq_dashboard.routing import Route

ROOT = "/api/v1"
_RUN, _CRON = "/runs/<uuid:run_id>", "/crons/<uuid:cron_id>"


def _read(
    path: str,
    name: str,
    handler: Callable[..., Response],
    answer: type[BaseModel],
    query: type[BaseModel] | None = None,
    permission: Permission = Permission.VIEW,
) -> Route:
    return Route(
        method="GET",
        path=ROOT + path,
        name=f"api_{name}",
        permission=permission,
        handler=handler,
        query=query,
        answer=answer,
    )


READING_ROUTES: tuple[Route, ...] = (
    _read("/openapi.json", "openapi", openapi.openapi, openapi.OpenApiAnswer),
    _read("/pulse", "pulse", figures.pulse, figure_answers.PulseAnswer),
    _read("/runs", "runs", runs.listing("history"), run_model.RunList, asked.RunsAsked),
    _read("/runs/active", "runs_active", runs.listing("active"), run_model.RunList, asked.RunsAsked),
    _read("/runs/upcoming", "runs_upcoming", runs.listing("upcoming"), run_model.RunList, asked.RunsAsked),
    _read(_RUN, "run", runs.run, run_model.RunAnswer),
    _read(f"{_RUN}/attempts", "attempts", runs.attempts, run_reports.AttemptList),
    _read(f"{_RUN}/log", "log", runs.log, run_reports.LogAnswer, permission=Permission.PAYLOAD_VIEW),
    _read(f"{_RUN}/explanation", "explanation", runs.explanation, run_reports.ExplanationAnswer),
    _read(
        f"{_RUN}/payload",
        "run_payload",
        runs.payload,
        run_reports.PayloadAnswer,
        permission=Permission.PAYLOAD_VIEW,
    ),
    _read(
        f"{_RUN}/result",
        "run_result",
        runs.result,
        run_reports.ResultAnswer,
        permission=Permission.PAYLOAD_VIEW,
    ),
    _read("/chains/<uuid:run_id>", "chain", runs.chain, ChainAnswer),
    _read("/crons", "crons", crons.crons, cron_answers.CronList, asked.CronsAsked),
    _read(_CRON, "cron", crons.cron, cron_answers.CronAnswer),
    _read(
        f"{_CRON}/occurrences", "occurrences", crons.occurrences, run_model.RunList, asked.OccurrencesAsked
    ),
    _read(f"{_CRON}/figures", "cron_figures", crons.figures, cron_answers.CronFiguresAnswer),
    _read(f"{_CRON}/instants", "instants", crons.instants, cron_answers.InstantList, asked.InstantsAsked),
    _read(
        f"{_CRON}/payload",
        "cron_payload",
        crons.payload,
        cron_answers.CronPayloadAnswer,
        permission=Permission.PAYLOAD_VIEW,
    ),
    _read("/bulk", "bulk_jobs", bulk.jobs, bulk.BulkJobList, ListQuery),
    _read("/bulk/<uuid:job_id>", "bulk_job", bulk.job, bulk.BulkJobAnswer),
    _read("/functions", "functions", system.functions, FunctionList, asked.FunctionsAsked),
    _read("/functions/<path:name>", "function", system.function, FunctionAnswer),
    _read("/nodes", "nodes", system.nodes, NodesAnswer),
    _read("/pauses", "pauses", system.pauses, PauseList),
    _read("/health", "health", system.health, system_model.HealthAnswer),
    _read("/settings", "settings", system.settings, system_model.SettingsAnswer),
    _read(
        "/audit",
        "audit",
        system.audit,
        system_model.AuditList,
        asked.AuditAsked,
        permission=Permission.AUDIT_VIEW,
    ),
    _read("/errors", "errors", figures.errors, figure_answers.ErrorsAnswer, asked.ErrorsAsked),
    _read("/upcoming", "upcoming", figures.upcoming, figure_answers.OutlookAnswer, asked.UpcomingAsked),
    _read(
        "/stats/throughput",
        "throughput",
        figures.throughput,
        figure_answers.ThroughputAnswer,
        asked.FiguresAsked,
    ),
    _read(
        "/stats/durations", "durations", figures.durations, figure_answers.TimingsAnswer, asked.FiguresAsked
    ),
    _read("/stats/lag", "lag", figures.lag, figure_answers.TimingsAnswer, asked.FiguresAsked),
)
