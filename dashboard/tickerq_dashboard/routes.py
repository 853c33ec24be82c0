"""The route table: every address of the dashboard, with what it takes and who may use it.

Flask's rules, the guard, CSRF, the description of the API and the test of every route with every role come
from it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import BaseModel
from werkzeug.wrappers import Response

from tickerq_dashboard import probes
from tickerq_dashboard.access.logout import log_out, logout
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.actions.bulk import ask_bulk, starting
from tickerq_dashboard.actions.bulk_stopping import stop_bulk
from tickerq_dashboard.actions.crons_ticked import acting_on_crons, ask_crons
from tickerq_dashboard.actions.doing import Target, asking, doing
from tickerq_dashboard.actions.pausing import ask_pause, ask_resume, pause_scope, resume_scope
from tickerq_dashboard.actions.targets import CHAIN, CRON, RUN
from tickerq_dashboard.api import exports
from tickerq_dashboard.api.reference import reference
from tickerq_dashboard.api.routes import API_ROUTES
from tickerq_dashboard.audit_filters import AuditQuery
from tickerq_dashboard.commands.bulk import Selection, StartBulk, StopBulk
from tickerq_dashboard.commands.crons_ticked import ActOnCrons, TickedCrons
from tickerq_dashboard.commands.exports import Export, ExportRuns
from tickerq_dashboard.commands.pauses import PauseScope, ResumeScope
from tickerq_dashboard.filters import (
    CronsQuery,
    FiguresQuery,
    FindQuery,
    FormQuery,
    FunctionsQuery,
    ListQuery,
    OverviewQuery,
    ScopeQuery,
)
from tickerq_dashboard.forms import crons as cron_forms
from tickerq_dashboard.forms import runs as run_forms
from tickerq_dashboard.forms.backfill import backfill_cron, create_backfill
from tickerq_dashboard.forms.sent import SentForm
from tickerq_dashboard.pages import bulk, chain, crons, operations, overview, run, runs, upcoming
from tickerq_dashboard.pages.find import find
from tickerq_dashboard.pages.function import function
from tickerq_dashboard.pages.help import show_help
from tickerq_dashboard.routing import Route
from tickerq_dashboard.run_filters import RunsQuery
from tickerq_dashboard.show.actions import Action
from tickerq_dashboard.show.bulk import BULK_VERBS
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.cron_actions import EVERY_CRON_ACTION
from tickerq_dashboard.show.crons_ticked import CRONS_VERBS
from tickerq_dashboard.show.run_actions import RUN_ACTIONS
from tickerq_dashboard.static_files import static_file
from tickerq_dashboard.upcoming_filters import UpcomingQuery


def _page(
    path: str,
    name: str,
    handler: Callable[..., str | Response],
    permission: Permission = Permission.VIEW,
    query: type[BaseModel] | None = None,
) -> Route:
    """Return the row of what is read."""
    return Route(method="GET", path=path, name=name, permission=permission, handler=handler, query=query)


def _probe(name: str, handler: Callable[..., Response]) -> Route:
    """Return the row of what is open to everyone."""
    return Route(method="GET", path=f"/{name}", name=name, permission=None, handler=handler)


def _export(
    path: str, handler: Callable[..., Response], permission: Permission, command: type[Export]
) -> Route:
    """Return the row of a list that is taken along: it changes nothing, but is recorded."""
    return Route(
        method="POST",
        path=path,
        name=handler.__name__,
        permission=permission,
        handler=handler,
        command=command,
        audit=exports.VERB,
    )


def _actions(target: Target, actions: Iterable[Action[Any]]) -> Iterator[Route]:
    """Yield the rows of what can be done to an object: the page that asks, and the form's."""
    for action in actions:
        name = f"{target.page}_{action.name}"
        yield from _form(
            f"{target.path}/{action.slug}",
            (f"ask_{name}", name),
            (asking(target, action), doing(target, action)),
            action.permission,
            action.verb,
            command=action.command,
        )


def _form(
    path: str,
    names: tuple[str, str],
    handlers: tuple[Callable[..., Response], Callable[..., Response]],
    permission: Permission,
    audit: str,
    query: type[BaseModel] | None = None,
    command: type[BaseModel] = SentForm,
) -> Iterator[Route]:
    """Yield the rows of a form: the page that has it, and where it is sent to."""
    (shown, sent), (show, send) = names, handlers
    yield _page(path, shown, show, permission, query)
    yield Route(
        method="POST",
        path=path,
        name=sent,
        permission=permission,
        handler=send,
        command=command,
        audit=audit,
    )


ROUTES: tuple[Route, ...] = (
    _page("/", "overview", overview.overview, query=OverviewQuery),
    _page("/find", "find", find, query=FindQuery),
    _page("/runs", "runs", runs.listing("history"), query=RunsQuery),
    _page("/runs/active", "runs_active", runs.listing("active"), query=RunsQuery),
    _export("/runs/export", exports.export_runs, Permission.VIEW, ExportRuns),
    _page("/runs/upcoming", "runs_upcoming", runs.listing("upcoming"), query=RunsQuery),
    *_form(
        "/runs/new",
        ("new_run", "create_run"),
        (run_forms.new_run, run_forms.create_run),
        Permission.TICKERS_CREATE,
        "time_tickers.add",
        FormQuery,
    ),
    *_form(
        "/runs/<uuid:run_id>/clone",
        ("clone_run", "create_copy"),
        (run_forms.clone_run, run_forms.create_copy),
        Permission.TICKERS_CREATE,
        "time_tickers.clone",
    ),
    *_form(
        "/runs/<uuid:run_id>/edit",
        ("edit_run", "update_run"),
        (run_forms.edit_run, run_forms.update_run),
        Permission.TICKERS_EDIT,
        "time_tickers.update",
    ),
    _page("/runs/<uuid:run_id>", "run", run.run),
    *_actions(RUN, RUN_ACTIONS),
    _page("/chains/<uuid:run_id>", "chain", chain.chain),
    *_actions(CHAIN, CHAIN_ACTIONS),
    _page("/bulk", "bulk_jobs", bulk.bulk_jobs, query=ListQuery),
    _page("/bulk/<uuid:job_id>", "bulk_job", bulk.bulk_job),
    # It only shows what was selected, which may be too long for an address; the verb's permission is checked.
    Route(
        method="POST",
        path="/bulk/ask",
        name="ask_bulk",
        permission=Permission.VIEW,
        handler=ask_bulk,
        command=Selection,
        audit="bulk.start",
    ),
    *(
        Route(
            method="POST",
            path=f"/bulk/{verb.action}",
            name=f"start_bulk_{verb.action}",
            permission=verb.permission,
            handler=starting(verb),
            command=StartBulk,
            audit="bulk.start",
        )
        for verb in BULK_VERBS
    ),
    Route(
        method="POST",
        path="/bulk/<uuid:job_id>/stop",
        name="stop_bulk",
        permission=Permission.RUNS_CANCEL,
        handler=stop_bulk,
        command=StopBulk,
        audit="bulk.stop",
    ),
    _page("/crons", "crons", crons.crons, query=CronsQuery),
    *_form(
        "/crons/new",
        ("new_cron", "create_cron"),
        (cron_forms.new_cron, cron_forms.create_cron),
        Permission.CRONS_CREATE,
        "cron_tickers.add",
        FormQuery,
    ),
    *_form(
        "/crons/<uuid:cron_id>/edit",
        ("edit_cron", "update_cron"),
        (cron_forms.edit_cron, cron_forms.update_cron),
        Permission.CRONS_EDIT,
        "cron_tickers.update",
    ),
    *_form(
        "/crons/<uuid:cron_id>/backfill",
        ("backfill_cron", "create_backfill"),
        (backfill_cron, create_backfill),
        Permission.CRONS_RUN,
        "cron_tickers.backfill",
    ),
    # As of runs: it only shows what was ticked.
    Route(
        method="POST",
        path="/crons/ask",
        name="ask_crons",
        permission=Permission.VIEW,
        handler=ask_crons,
        command=TickedCrons,
    ),
    *(
        Route(
            method="POST",
            path=f"/crons/{verb.slug}",
            name=f"{verb.action}_crons",
            permission=verb.permission,
            handler=acting_on_crons(verb),
            command=ActOnCrons,
            audit=verb.verb,
        )
        for verb in CRONS_VERBS
    ),
    _page("/crons/<uuid:cron_id>", "cron", crons.cron, query=ListQuery),
    *_actions(CRON, EVERY_CRON_ACTION),
    _page("/upcoming", "upcoming", upcoming.upcoming, query=UpcomingQuery),
    _page("/errors", "errors", operations.errors, query=OverviewQuery),
    _page("/functions", "functions", operations.functions, query=FunctionsQuery),
    _page("/functions/<path:name>", "function", function, query=FiguresQuery),
    _page("/pauses", "pauses", operations.pauses),
    *_form(
        "/pauses/pause",
        ("ask_pause", "pause_scope"),
        (ask_pause, pause_scope),
        Permission.FUNCTIONS_PAUSE,
        "pauses.pause",
        ScopeQuery,
        PauseScope,
    ),
    *_form(
        "/pauses/resume",
        ("ask_resume", "resume_scope"),
        (ask_resume, resume_scope),
        Permission.FUNCTIONS_PAUSE,
        "pauses.resume",
        ScopeQuery,
        ResumeScope,
    ),
    _page("/nodes", "nodes", operations.nodes),
    _page("/health", "health", operations.health),
    _page("/settings", "settings", operations.settings),
    _page("/audit", "audit", operations.audit, Permission.AUDIT_VIEW, query=AuditQuery),
    _export("/audit/export", exports.export_audit, Permission.AUDIT_VIEW, Export),
    _page("/help", "help", show_help),
    _page("/api", "reference", reference),
    _page("/logout", "logout", logout),
    Route(method="POST", path="/logout", name="log_out", permission=Permission.VIEW, handler=log_out),
    _page("/static/<path:filename>", "static", static_file),
    _probe("livez", probes.livez),
    _probe("readyz", probes.readyz),
    _probe("healthz", probes.healthz),
    *API_ROUTES,
    # A blueprint's guard does not run for addresses that match no rule of it.
    _page("/<path:address>", "unknown", operations.unknown),
)
