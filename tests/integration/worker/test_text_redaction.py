"""The setting ``redact_text``: a secret that it hides is in no byte of the store."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from billiard.exceptions import WorkerLostError
from celery.exceptions import Ignore, Reject
from sqlalchemy import select

from tests.inner import SignalKind, SignalReport
from tests.integration.apps import add_run, execute, ticker_app
from tests.integration.making import ListPublisher
from tests.integration.worker.call_app import add_call, deliver_all, followed
from tests.manual_clock import ManualClock
from tests.tables import metadata
from tickerq_celery import TerminateExecution, TickerContext, TickerQ, TickerStatus
from tickerq_celery.errors import ConfigError
from tickerq_celery.payload.text_redaction import REDACTION_FAILED
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.reporting import Reporting
from tickerq_celery.worker.signals import SignalHandler

# In parts, so that no traceback quotes it from this file.
SECRET = "-".join(["hunter2", "é", "7"])
App = Callable[..., AbstractContextManager[TickerQ]]
Body = Callable[[TickerContext], object]
users_logger = logging.getLogger("users.redacted")


def hide(text: str) -> str:
    users_logger.warning("asked to hide %s", text)
    return text.replace(SECRET, "[hidden]")


def breaks(text: str) -> str:
    if text:
        raise ValueError(text)
    return text


@pytest.fixture(autouse=True)
def no_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread write of itself."""
    monkeypatch.setattr(Reporting, "_live", lambda self: None)


@pytest.fixture
def app(store_url: str, namespace: str, clock: ManualClock) -> App:
    return lambda hook: ticker_app(store_url, namespace, clock, redact_text=hook, capture_logs="INFO")


@pytest.fixture
def tickerq(app: App) -> Iterator[TickerQ]:
    with app(hide) as made, followed(made):
        yield made


def contents(tickerq: TickerQ) -> str:
    """Return all that the store holds, each value of each row; of SQLite each byte of its files, too."""
    found = []
    with tickerq.core.database.engine.connect() as connection:
        for table in metadata.sorted_tables:
            found += [repr(tuple(row)) for row in connection.execute(select(table))]
        if connection.dialect.name == "sqlite":
            file = Path(str(tickerq.core.database.url.database))
            found += [each.read_bytes().decode("latin-1") for each in file.parent.glob(f"{file.name}*")]
    return "\n".join(found)


def holds_secret(tickerq: TickerQ) -> bool:
    kept = contents(tickerq)
    # As text, as JSON, and as the bytes of either.
    forms = (SECRET, SECRET.encode().decode("latin-1"), SECRET.encode("ascii", "backslashreplace").decode())
    return any(each in kept for each in forms) or "hunter2" in kept


def raises(context: TickerContext) -> None:
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        raise OSError(f"no route to {SECRET}") from error


async def raises_async(context: TickerContext) -> None:
    raises(context)


def terminates(context: TickerContext) -> None:
    raise TerminateExecution(f"skip {SECRET}")


def terminates_as_failed(context: TickerContext) -> None:
    raise TerminateExecution(f"give up {SECRET}", TickerStatus.FAILED)


def ignores(context: TickerContext) -> None:
    raise Ignore(f"ignore {SECRET}")


def rejects(context: TickerContext) -> None:
    raise Reject(f"reject {SECRET}")


def reports(context: TickerContext) -> None:
    context.report_progress(0.5, f"at {SECRET}")
    # Longer than what is kept of a line: the secret stands across its end.
    context.log("x" * (2_000 - 9) + SECRET)
    context.log(f"line {SECRET}")
    users_logger.info("logged %s", SECRET)
    try:
        raises(context)
    except OSError:
        users_logger.exception("caught")


BODIES: list[Body] = [raises, raises_async, terminates, terminates_as_failed, ignores, rejects, reports]


@pytest.mark.every_database
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_no_text_of_a_function_brings_a_secret_into_the_store(tickerq: TickerQ, body: Body) -> None:
    run = add_run(tickerq, body)
    execute(tickerq)
    found = tickerq.runs.get(run.id)
    assert found.ended_at is not None
    assert "[hidden]" in contents(tickerq)
    assert not holds_secret(tickerq)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_without_the_setting_each_of_these_texts_is_kept(app: App) -> None:
    for body in BODIES:
        with app(None) as tickerq:
            add_run(tickerq, body)
            execute(tickerq)
            assert holds_secret(tickerq), body
            tickerq.time_tickers.delete_batch([run.id for run in tickerq.runs.find()])


def fails(task: Any) -> None:
    raise OSError(f"no route to {SECRET}")


def is_ignored(task: Any) -> None:
    raise Ignore(f"ignore {SECRET}")


def retries(task: Any) -> None:
    raise task.retry(exc=OSError(f"no route to {SECRET}"), countdown=0, max_retries=1)


@pytest.mark.parametrize("body", [fails, is_ignored, retries], ids=lambda body: body.__name__)
def test_no_text_of_a_followed_celery_task_does(tickerq: TickerQ, body: Any) -> None:
    run_id = add_call(tickerq, tickerq.app.task(name="shop.work", bind=True, shared=False)(body))
    deliver_all(tickerq)
    assert tickerq.runs.get(run_id).outcome_known
    assert "[hidden]" in contents(tickerq)
    assert not holds_secret(tickerq)


@pytest.mark.parametrize("kind", [SignalKind.LOST, SignalKind.TIMED_OUT, SignalKind.REVOKED])
def test_no_text_of_what_a_worker_s_main_process_reports_does(tickerq: TickerQ, kind: SignalKind) -> None:
    seen: list[TickerContext] = []
    publisher = ListPublisher()

    def report(context: TickerContext) -> None:
        parts = tickerq._process.get()
        misrouted = MisroutedLog(tickerq.config.namespace)
        lost = SignalReport(
            ticker_id=context.id, claim_no=1, kind=kind, message=f"{WorkerLostError(SECRET)} is gone"
        )
        SignalHandler(tickerq.core, parts.recorder, publisher, misrouted).handle(lost)
        seen.append(context)

    add_run(tickerq, report)
    execute(tickerq)
    assert len(seen) == 1
    assert "[hidden] is gone" in contents(tickerq)
    assert not holds_secret(tickerq)
    assert all(SECRET not in message for _, message in publisher.lost)


def test_a_hook_that_breaks_leaves_the_run_as_it_ended_without_its_texts(app: App) -> None:
    with app(breaks) as tickerq:
        run = add_run(tickerq, raises)
        execute(tickerq)
        found = tickerq.runs.get(run.id)
        (attempt,) = found.attempts
        assert (found.status, found.exception_type) == (TickerStatus.FAILED, "OSError")
        assert found.exception_message == attempt.exception_message == attempt.traceback == REDACTION_FAILED
        assert not holds_secret(tickerq)
    with app(breaks) as tickerq:
        run = add_run(tickerq, reports)
        execute(tickerq)
        found = tickerq.runs.get(run.id)
        assert found.status is TickerStatus.DONE
        assert {line.message for line in found.logs} == {found.progress_message} == {REDACTION_FAILED}
        assert not holds_secret(tickerq)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        (7, r"pass a function, or the dotted path to one \(got 7\)"),
        ("", r"pass a function, or the dotted path to one \(got ''\)"),
        ("no.such", "cannot import 'no.such'"),
        (lambda text: None, "it must return a text, and returned NoneType"),
        (lambda: "", "it must take a text, and raised TypeError"),
        ("redacting_here.later", "it must return a text, and returned coroutine"),
        ("redacting_here.WORD", "it must take a text, and raised TypeError: 'str' object is not callable"),
    ],
)
def test_what_is_no_hook_is_refused_at_the_start(
    app: App, monkeypatch: pytest.MonkeyPatch, hook: Any, reason: str
) -> None:
    async def later(text: str) -> str:
        return text

    module = ModuleType("redacting_here")
    module.__dict__.update(later=later, WORD="word")
    monkeypatch.setitem(sys.modules, "redacting_here", module)
    with pytest.raises(ConfigError, match=f"tickerq_redact_text: {reason}"), app(hook) as tickerq:
        tickerq.runs.find()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_hook_may_be_named_by_its_path(app: App) -> None:
    with app(f"{__name__}:hide") as tickerq:
        add_run(tickerq, raises)
        execute(tickerq)
        assert not holds_secret(tickerq)
