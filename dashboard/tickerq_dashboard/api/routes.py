"""The rows of the route table that answer programs: what they read, and what they do."""

from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.api import bulk, cron_batches, cron_previews, payload_checks, storing
from tickerq_dashboard.api.chain_answers import ChainChangeAnswer
from tickerq_dashboard.api.cron_answers import BackfillAnswer, CronAnswer
from tickerq_dashboard.api.pause_answers import PauseAnswer
from tickerq_dashboard.api.reading_routes import READING_ROUTES
from tickerq_dashboard.api.rows import rows_of_actions, write
from tickerq_dashboard.api.run_answers import RunAnswer
from tickerq_dashboard.commands.bulk import StopBulk
from tickerq_dashboard.commands.crons import Backfill, CronEdit, NewCron
from tickerq_dashboard.commands.pauses import PauseScope, ResumeScope
from tickerq_dashboard.commands.time_tickers import NewTimeTicker, TimeTickerCopy, TimeTickerEdit
from tickerq_dashboard.routing import Route
from tickerq_dashboard.show.bulk import BULK_VERBS
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.cron_actions import EVERY_CRON_ACTION
from tickerq_dashboard.show.crons_ticked import CRONS_BY_ACTION
from tickerq_dashboard.show.run_actions import RUN_ACTIONS

_RUN, _CRON = "/runs/<uuid:run_id>", "/crons/<uuid:cron_id>"


API_ROUTES: tuple[Route, ...] = (
    *READING_ROUTES,
    write(
        "POST",
        "/runs",
        "create_run",
        storing.create_run,
        Permission.TICKERS_CREATE,
        NewTimeTicker,
        RunAnswer,
        "time_tickers.add",
        status=201,
    ),
    write(
        "POST",
        f"{_RUN}/clone",
        "clone_run",
        storing.clone_run,
        Permission.TICKERS_CREATE,
        TimeTickerCopy,
        RunAnswer,
        "time_tickers.clone",
        status=201,
    ),
    write(
        "PATCH",
        _RUN,
        "edit_run",
        storing.edit_run,
        Permission.TICKERS_EDIT,
        TimeTickerEdit,
        RunAnswer,
        "time_tickers.update",
    ),
    *rows_of_actions(_RUN, "run", "run", RunAnswer, RUN_ACTIONS, "run_id"),
    *rows_of_actions("/chains/<uuid:run_id>", "chain", "chain", ChainChangeAnswer, CHAIN_ACTIONS, "run_id"),
    write(
        "POST",
        "/crons",
        "create_cron",
        storing.create_cron,
        Permission.CRONS_CREATE,
        NewCron,
        CronAnswer,
        "cron_tickers.add",
        status=201,
    ),
    write(
        "POST",
        "/crons/preview",
        "preview_cron",
        cron_previews.preview,
        Permission.VIEW,
        cron_previews.CronPreview,
        cron_previews.CronPreviewAnswer,
    ),
    write(
        "POST",
        "/payload/validate",
        "validate_payload",
        payload_checks.check,
        Permission.VIEW,
        payload_checks.PayloadCheck,
        payload_checks.PayloadCheckAnswer,
    ),
    write(
        "PATCH",
        _CRON,
        "edit_cron",
        storing.edit_cron,
        Permission.CRONS_EDIT,
        CronEdit,
        CronAnswer,
        "cron_tickers.update",
    ),
    write(
        "POST",
        f"{_CRON}/backfill",
        "backfill_cron",
        storing.backfill_cron,
        Permission.CRONS_RUN,
        Backfill,
        BackfillAnswer,
        "cron_tickers.backfill",
    ),
    *(
        write(
            "POST",
            f"/crons/{CRONS_BY_ACTION[action].slug}",
            f"{action}_crons",
            handler,
            CRONS_BY_ACTION[action].permission,
            command,
            answer,
            CRONS_BY_ACTION[action].verb,
        )
        for action, handler, command, answer in (
            ("pause", cron_batches.pause, cron_batches.CronsCommand, cron_batches.CronBatchAnswer),
            ("resume", cron_batches.resume, cron_batches.ResumeCrons, cron_batches.CronBatchAnswer),
            ("run_now", cron_batches.run_now, cron_batches.CronsCommand, cron_batches.StartedRuns),
            ("delete", cron_batches.delete, cron_batches.CronsCommand, cron_batches.DeletedAnswer),
        )
    ),
    *rows_of_actions(_CRON, "cron ticker", "cron", CronAnswer, EVERY_CRON_ACTION, "cron_id"),
    write(
        "POST",
        "/pauses/pause",
        "pause",
        storing.pause,
        Permission.FUNCTIONS_PAUSE,
        PauseScope,
        PauseAnswer,
        "pauses.pause",
    ),
    write(
        "POST",
        "/pauses/resume",
        "resume",
        storing.resume,
        Permission.FUNCTIONS_PAUSE,
        ResumeScope,
        PauseAnswer,
        "pauses.resume",
    ),
    *(
        write(
            "POST",
            f"/bulk/{verb.action}",
            f"bulk_{verb.action}",
            bulk.starting(verb),
            verb.permission,
            bulk.NewBulk,
            bulk.BulkJobAnswer,
            "bulk.start",
            status=202,
        )
        for verb in BULK_VERBS
    ),
    write(
        "POST",
        "/bulk/<uuid:job_id>/stop",
        "stop_bulk",
        bulk.stop,
        Permission.RUNS_CANCEL,
        StopBulk,
        bulk.BulkJobAnswer,
        "bulk.stop",
    ),
)
