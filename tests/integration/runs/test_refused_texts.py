"""An end whose texts the database refuses is recorded without them, and its body never runs again for it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.inner import REFUSED_TEXTS, Core, Database, Recorder, failed, skipped, succeeded
from tests.integration.apps import caller_engine
from tests.integration.making import (
    attempts_of,
    claim,
    enrolled,
    failure,
    make_run,
    row_of,
    started,
    time_tickers,
)
from tests.integration.refusing import ARROW, refuse_arrows
from tests.servers.pool import SharedServer
from tests.servers.schema_template import make_schema
from tests.thoroughness import in_verify
from tickerq_celery import TimeTicker
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import RefusedValueError
from tickerq_celery.tickers.progress import Pending
from tickerq_celery.worker.reporting import Reporting


@pytest.fixture(scope="module", params=["postgres", in_verify("mariadb")])
def refusing_url(
    request: pytest.FixtureRequest, shared_server: Callable[[str], SharedServer]
) -> Iterator[str]:
    """A store that was made to refuse an arrow after it was migrated."""
    server = shared_server(request.param)
    url = server.new_database()
    make_schema(url)
    refuse_arrows(url)
    yield url
    server.drop_database(url)


@pytest.fixture
def store_url(refusing_url: str) -> str:
    return refusing_url


@pytest.fixture
def core(core: Core) -> Core:
    return enrolled(core)


def test_a_failure_is_recorded_without_its_text_and_goes_on_as_it_would(core: Core) -> None:
    run = started(core, make_run(core, retries=1))
    written = Recorder(core).finish(
        run, failed(run.standing, failure(ARROW)), elapsed=timedelta(seconds=1), report=Pending(0.5, ARROW)
    )
    assert written is not None
    row = row_of(core, run.id)
    assert (row.status, row.retry_count, row.progress) == (TickerStatus.IDLE, 1, 0.5)
    assert row.exception_message == REFUSED_TEXTS
    assert [(each.exception_type, each.exception_message) for each in attempts_of(core, run.id)] == [
        (failure().type, REFUSED_TEXTS)
    ]


def test_a_reason_is_recorded_without_its_text(core: Core) -> None:
    run = started(core, make_run(core))
    Recorder(core).finish(run, skipped(run.standing, ARROW), elapsed=None)
    row = row_of(core, run.id)
    assert (row.status, row.skipped_reason) == (TickerStatus.SKIPPED, REFUSED_TEXTS)


def test_a_lost_attempt_is_recorded_without_its_text(core: Core) -> None:
    run = started(core, make_run(core))
    assert Recorder(core).rescue(run, ARROW) is not None
    assert row_of(core, run.id).exception_message == REFUSED_TEXTS


def test_the_end_of_a_waiting_run_is_recorded_without_its_text(core: Core) -> None:
    make_run(core)
    (waiting,) = claim(core)
    recorder = Recorder(core)
    assert recorder.end_waiting(waiting.id, waiting.number, status=TickerStatus.FAILED, reason=ARROW)
    assert row_of(core, waiting.id).skipped_reason == REFUSED_TEXTS


def test_a_completion_keeps_the_transaction_of_its_function(core: Core) -> None:
    run = started(core, make_run(core))
    recorder = Recorder(core)
    engine = caller_engine(core.database.url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        caller = recorder.join(connection, instead="complete_in")
        recorder.finish_in(
            caller, run, succeeded(run.standing), elapsed=timedelta(0), report=Pending(1.0, ARROW)
        )
    engine.dispose()
    row = row_of(core, run.id)
    assert (row.status, row.progress, row.progress_message) == (TickerStatus.DONE, 1.0, None)
    assert recorder.has_finished(run, succeeded(run.standing))


def test_progress_that_is_refused_is_in_the_way_of_no_other(
    core: Core, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reporting, "_live", lambda self: None)
    reporting = Reporting(core)
    first, second = (started(core, make_run(core)) for _ in range(2))
    for run, message in ((first, ARROW), (second, "half")):
        reporting.begin(run).progress(0.5, message)
    reporting.flush()
    assert f"the progress of run {first.id} is not recorded" in caplog.text
    found = core.database.read(
        lambda connection: connection.execute(text("SELECT message FROM tickerq_progress")).scalars().all()
    )
    assert "half" in found


@pytest.mark.parametrize("is_callers", [False, True])
def test_adding_names_the_field_that_is_refused(core: Core, is_callers: bool) -> None:
    ticker = TimeTicker(function="Send", description=ARROW)
    engine = caller_engine(core.database.url.render_as_string(hide_password=False))
    with engine.begin() as connection, pytest.raises(RefusedValueError, match=r"^description: ") as refusal:
        time_tickers(core).add(ticker, session=connection if is_callers else None)
    engine.dispose()
    assert refusal.value.field == "description"


@pytest.mark.parametrize("refusing_url", ["postgres"], indirect=True)
def test_a_character_that_the_connection_lacks_is_refused_by_the_same_error(core: Core) -> None:
    database = Database(core.database.url.update_query_dict({"client_encoding": "latin1"}))
    with pytest.raises(RefusedValueError, match=r"encoding of the connection lacks it \(got '→'\)"):
        database.write(lambda connection: connection.execute(text("SELECT :text"), {"text": ARROW}))
    database.close()
