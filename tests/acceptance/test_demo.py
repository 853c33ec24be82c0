"""The notification system as `make demo` runs it: real beat, worker, web app and mail server."""

import fcntl
import json
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from celery import Celery
from sqlalchemy import select

from examples.notifications.database import Database
from examples.notifications.models import Alert, Notification, User
from tests.acceptance.demo_process import Answer, DemoProcess
from tests.servers.pool import SharedServer
from tests.servers.schema_template import make_schema
from tests.thoroughness import in_verify
from tickerq_celery import Cron, Run, TickerQ, TickerStatus, TickerType, TimeTicker
from tickerq_celery.enums import SUCCEEDED

pytestmark = pytest.mark.acceptance

# Each walk takes as long as a hundred other tests.
SERVERS = [
    in_verify(("embedded",)),
    in_verify(("servers", "postgres", "redis")),
    in_verify(("servers", "mariadb", "rabbitmq")),
]
SEED_USER = {"email": "user@example.com", "name": "John Doe"}
BROKEN_ADDRESS = "two\nlines@example.com"
DIGEST_ADDRESS = "digest@example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What was seen on one walk through the system, from the registration to Ctrl-C."""

    registration: Answer
    refusals: tuple[Answer, ...]
    users: tuple[User, ...]
    welcome: Run
    digest: Run
    cleanup: Run
    crons: dict[str, Cron]
    alerts: tuple[Alert, ...]
    kept_notifications: frozenset[str]
    page: Answer
    roots: tuple[Answer, ...]
    page_without_login: Answer
    output: str
    exit_code: int
    left: list[int]

    def mails(self) -> list[str]:
        """Return what the mail server said about each mail."""
        lines = [line for line in self.output.splitlines() if line.startswith("[mail]")]
        return [line for line in lines if "refused" in line or "delivered" in line]


@pytest.fixture(scope="module", params=SERVERS, ids="-".join)
def servers(
    request: pytest.FixtureRequest, shared_server: Callable[[str], SharedServer]
) -> Iterator[dict[str, str]]:
    """What the demo's environment says about its servers: nothing where it brings its own."""
    with ExitStack() as stack:
        urls = {}
        for variable, kind in zip(("STORE_URL", "BROKER_URL"), request.param[1:], strict=False):
            server = shared_server(kind)
            urls[variable] = server.new_database()
            stack.callback(server.drop_database, urls[variable])
        yield urls


def ended(tickerq: TickerQ, run_id: UUID) -> bool:
    return tickerq.runs.get(run_id).status in SUCCEEDED


def schedule_all_but_the_welcome(tickerq: TickerQ) -> list[UUID]:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    names = ("SendDailyDigest", "CleanupOldNotifications")
    return [tickerq.time_tickers.add(TimeTicker(function=name, execution_time=soon)).id for name in names]


def add_notifications(database: Database) -> None:
    now = datetime.now(UTC)
    ages = {"just now": 0, "29 days ago": 29, "31 days ago": 31}
    with database.transaction() as session:
        session.add(User(id=UUID(int=1), email=BROKEN_ADDRESS, name="Broken"))
        session.add(User(id=UUID(int=2), email=DIGEST_ADDRESS, name="Dora"))
        session.flush()
        session.add(Notification(user_id=UUID(int=1), message="never seen"))
        for message, days in ages.items():
            session.add(
                Notification(user_id=UUID(int=2), message=message, created_at=now - timedelta(days=days))
            )


def take_the_walk(demo: DemoProcess, tickerq: TickerQ, database: Database) -> Walk:
    registration = demo.post("/api/users/register", SEED_USER)
    refusals = tuple(demo.post("/api/users/register", body) for body in ({"email": "nobody"}, ["x"]))
    with database.transaction() as session:
        users = tuple(session.scalars(select(User)))
    [welcome] = tickerq.time_tickers.find(function="SendWelcomeEmail")
    demo.wait_for(lambda: ended(tickerq, welcome.id), "welcome email")
    add_notifications(database)
    digest, cleanup = schedule_all_but_the_welcome(tickerq)
    demo.wait_for(lambda: ended(tickerq, digest) and ended(tickerq, cleanup), "digest and clean-up")
    page = f"/admin/tickerq/runs/{welcome.id}"
    with database.transaction() as session:
        alerts = tuple(session.scalars(select(Alert)))
        kept = frozenset(session.scalars(select(Notification.message)))
    return Walk(
        registration=registration,
        refusals=refusals,
        users=users,
        welcome=tickerq.runs.get(welcome.id),
        digest=tickerq.runs.get(digest),
        cleanup=tickerq.runs.get(cleanup),
        crons={cron.function: cron for cron in tickerq.cron_tickers.find()},
        alerts=alerts,
        kept_notifications=kept,
        page=demo.get(page),
        roots=tuple(demo.get("/", host=host) for host in ("127.0.0.1", "[::1]")),
        page_without_login=demo.get(page, logged_in=False),
        exit_code=demo.end(signal.SIGINT),
        output=demo.output,
        left=demo.processes(),
    )


@pytest.fixture(scope="module")
def walk(servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("walk") / "demo"
    store_url = servers.get("STORE_URL", f"sqlite:///{folder}/tickerq.db")
    database = Database(lambda: store_url)
    client = Celery("notifications", broker="memory://", set_as_current=False)
    with DemoProcess(folder, servers) as demo:
        demo.wait_until_ready()
        tickerq = TickerQ(client, store_url=store_url)
        yield take_the_walk(demo, tickerq, database)
    tickerq.close()
    database.engine.dispose()


def test_the_registration_returns_the_id_of_a_stored_user(walk: Walk) -> None:
    assert walk.registration.status == 200
    [user] = walk.users
    assert json.loads(walk.registration.text) == {"userId": str(user.id)}
    assert (user.email, user.name) == ("user@example.com", "John Doe")


def test_a_registration_that_makes_no_sense_is_refused_and_stores_nothing(walk: Walk) -> None:
    assert [refusal.status for refusal in walk.refusals] == [400, 400]
    assert "email" in json.loads(walk.refusals[0].text)["error"]
    assert len(walk.users) == 1


def test_the_welcome_email_arrives_after_one_retry(walk: Walk) -> None:
    refused, delivered, *_ = walk.mails()
    assert "refused" in refused
    assert "user@example.com" in refused
    assert "delivered" in delivered
    assert 'user@example.com: "Welcome!"' in delivered


def test_the_run_has_a_failed_attempt_and_then_a_good_one(walk: Walk) -> None:
    first, second = walk.welcome.attempts
    assert (first.number, first.status) == (0, TickerStatus.FAILED)
    assert first.exception_type is not None
    assert first.exception_type.endswith("SMTPDataError")
    assert "451" in (first.exception_message or "")
    assert "send_welcome_email" in (first.traceback or "")
    assert (second.number, second.status) == (1, TickerStatus.DONE)
    assert second.exception_type is None


def test_the_run_is_done_and_used_one_retry(walk: Walk) -> None:
    assert walk.welcome.status is TickerStatus.DONE
    assert walk.welcome.type is TickerType.TIME_TICKER
    assert (walk.welcome.retry_count, walk.welcome.retries) == (1, 3)
    assert walk.welcome.description == "Welcome email for user@example.com"


def test_the_request_is_what_was_registered(walk: Walk) -> None:
    [user] = walk.users
    assert walk.welcome.request == {**SEED_USER, "user_id": str(user.id)}


def test_the_exception_handler_was_called_for_the_failed_attempt_only(walk: Walk) -> None:
    [alert] = walk.alerts
    assert alert.subject == "Email service failure"
    assert "451" in alert.details
    assert walk.output.count(f"job {walk.welcome.id} (TIME_TICKER) failed") == 1


def test_the_decorated_crons_are_seeded(walk: Walk) -> None:
    expressions = {name: cron.expression for name, cron in walk.crons.items()}
    assert expressions == {"SendDailyDigest": "0 0 9 * * *", "CleanupOldNotifications": "0 0 0 * * *"}
    assert all(cron.is_enabled and cron.next_run_at for cron in walk.crons.values())


def test_one_failing_user_does_not_keep_the_digest_from_the_others(walk: Walk) -> None:
    assert walk.digest.status in SUCCEEDED
    assert "failed to send the digest to two lines@example.com" in walk.output
    assert [line for line in walk.mails() if "Daily Digest" in line and DIGEST_ADDRESS in line]


def test_the_clean_up_deletes_what_is_older_than_30_days_and_nothing_else(walk: Walk) -> None:
    assert walk.cleanup.status in SUCCEEDED
    assert walk.kept_notifications == {"You registered.", "never seen", "just now", "29 days ago"}


def test_the_dashboard_shows_both_attempts_to_those_who_log_in(walk: Walk) -> None:
    assert walk.page.status == 200
    assert "SendWelcomeEmail" in walk.page.text
    assert "SMTPDataError" in walk.page.text
    assert walk.page_without_login.status == 401
    assert "SendWelcomeEmail" not in walk.page_without_login.text


def test_the_root_leads_to_the_dashboard_on_both_loopback_addresses(walk: Walk) -> None:
    assert [(answer.status, ">Overview</h1>" in answer.text) for answer in walk.roots] == [(200, True)] * 2


def test_ctrl_c_leaves_no_process(walk: Walk) -> None:
    assert walk.exit_code == 0
    assert walk.left == []


def test_every_printed_line_is_short_and_there_is_no_traceback(walk: Walk) -> None:
    assert "Traceback" not in walk.output
    assert max(len(line) for line in walk.output.splitlines()) < 300


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoProcess]:
    with DemoProcess(tmp_path / "demo", {}) as demo:
        demo.wait_until_ready()
        yield demo


@pytest.mark.verify
def test_a_second_demo_runs_what_the_first_one_left(demo: DemoProcess) -> None:
    demo.post("/api/users/register", SEED_USER)
    demo.end(signal.SIGTERM)
    before = demo.output
    demo.start()
    demo.wait_for(lambda: "delivered to user@example.com" in demo.output, "mail")
    assert "delivered" not in before


# Of these two, `make test` runs what test_demo_children.py has of them.
@pytest.mark.verify
def test_a_killed_demo_leaves_no_process(demo: DemoProcess) -> None:
    demo.wait_for(lambda: len(demo.processes()) >= 7, "demo, its four processes and the worker's two")
    demo.end(signal.SIGKILL)
    demo.wait_until_nothing_is_left()
    assert demo.processes() == []


@pytest.mark.verify
@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_process_that_dies_ends_the_demo_with_one_clear_line(demo: DemoProcess, name: str) -> None:
    demo.kill(name)
    exit_code = demo.wait()
    assert exit_code == 1
    assert f"demo: {name} ended by itself (signal 9), so everything stops" in demo.output.splitlines()
    assert demo.processes() == []


def test_a_taken_port_is_one_line_and_nothing_starts(tmp_path: Path) -> None:
    demo = DemoProcess(tmp_path / "demo", {})
    with socket.create_server(("127.0.0.1", demo.port)), demo:
        assert demo.wait() == 1
    [line] = demo.output.splitlines()
    assert line.startswith(f"demo: port {demo.port} cannot be used")
    assert f"PORT={demo.port + 1}" in line
    assert not demo.folder.exists()


def test_a_second_demo_in_the_same_folder_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with DemoProcess(folder, {}) as demo:
            assert demo.wait() == 1
    [line] = demo.output.splitlines()
    assert line.startswith(f"demo: another demo uses {folder}")
    assert "DEMO_FOLDER=" in line


def test_a_store_that_cannot_be_reached_is_said_without_a_traceback(tmp_path: Path) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/nowhere"
    variables = {"BROKER_URL": "memory://", "STORE_URL": nowhere}
    with DemoProcess(tmp_path / "demo", variables) as demo:
        assert demo.wait() == 1
    assert "Traceback" not in demo.output
    assert "the store did not answer" in demo.output
    assert demo.output.splitlines()[-1] == "demo: the store could not be prepared"


FORMER_REVISION = (
    "CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('former')"
)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("CREATE TABLE users (id INTEGER)", "table users already exists"),
        in_verify(FORMER_REVISION, "Can't locate revision identified by 'former'"),
        in_verify("UPDATE tickerq_meta SET digest = 'former'", "store was made by an unreleased version"),
    ],
)
def test_a_folder_of_an_earlier_version_is_refused_with_what_to_do(
    tmp_path: Path, change: str, why: str
) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    make_schema(f"sqlite:///{folder}/tickerq.db")
    with closing(sqlite3.connect(folder / "tickerq.db")) as store:
        store.executescript(change)
    with DemoProcess(folder, {}) as demo:
        assert demo.wait() == 1
    assert "Traceback" not in demo.output
    assert why in demo.output
    advice = f"if an earlier version made it, delete {folder} to start afresh"
    assert demo.output.splitlines()[-1] == f"demo: the store could not be prepared; {advice}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "http"), ("PORT", "70000"), ("WELCOME_DELAY_SECONDS", "soon"), ("BROKER_URL", "redis://x/0")],
)
def test_a_setting_that_cannot_be_used_is_one_line(tmp_path: Path, name: str, value: str) -> None:
    with DemoProcess(tmp_path / "demo", {name: value}) as demo:
        assert demo.wait() == 1
    [line] = demo.output.splitlines()
    assert line.startswith("demo: ")
    assert name in line
