"""The notification example against the TickerQ example that it follows, step by step."""

import ast
import re
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from examples.notifications.alerts import AlertService
from examples.notifications.database import Database
from examples.notifications.demo_setup import DemoError, demo_environment
from examples.notifications.email_service import EmailService
from examples.notifications.exception_handler import NotificationExceptionHandler
from examples.notifications.models import Alert, User, utc_now
from examples.notifications.requests import RegisterRequest, WelcomeEmailRequest
from examples.notifications.settings import SettingError, Settings, from_environment
from examples.notifications.user_service import UserService
from tests.servers.ports import free_port
from tickerq_celery import TickerError, TickerQ, TickerType

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "notifications"
STEPS = [
    "Step 1: Install Packages",
    "Step 2: Create Domain Models",
    "Step 3: Configure Application DbContext",
    "Step 4: Configure Application",
    "Step 5: Create Job Functions",
    "Step 5.1: Welcome Email Job",
    "Step 5.2: Daily Digest Job",
    "Step 5.3: Cleanup Job",
    "Step 6: Create Request Models",
    "Step 7: Integrate with Application Services",
    "Exception Handler",
    "Controller",
    "Running 1: Create Database",
    "Running 2: Run Application",
    "Running 3: Test Registration",
    "Running 4: Monitor Dashboard",
    "What happens 1: User Registration",
    "What happens 2: Welcome Email",
    "What happens 3: Daily Digest",
    "What happens 4: Cleanup",
    "What happens 5: Retries",
    "What happens 6: Monitoring",
]
CONSTANTS = [
    ("celery_app.py:tickerq", "max_concurrency=10"),
    ("celery_app.py:tickerq", 'node_identifier="notification-server"'),
    ("celery_app.py:tickerq", 'store_engine_options={"pool_size": 34}'),
    ("celery_app.py:tickerq", "store_retries=3"),
    ("web.py:create_app", 'base_path="/admin/tickerq"'),
    ("web.py:create_app", 'users={"admin": password_hash}'),
    ("web.py:create_app", 'generate_password_hash("secure-password")'),
    (
        "jobs.py:send_welcome_email",
        '@ticker_function("SendWelcomeEmail", retries=3, retry_intervals=[60, 300, 900])',
    ),
    ("jobs.py:send_daily_digest", '@ticker_function("SendDailyDigest", cron="0 0 9 * * *")'),
    ("jobs.py:cleanup_old_notifications", '@ticker_function("CleanupOldNotifications", cron="0 0 0 * * *")'),
    ("jobs.py:DIGEST_WINDOW", "timedelta(days=1)"),
    ("jobs.py:KEEP_NOTIFICATIONS", "timedelta(days=30)"),
    ("user_service.py:UserService._welcome_email", "retries=3"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the mapping table."""

    step: str
    counterpart: str
    text: str


def table() -> list[Row]:
    lines = (EXAMPLE / "README.md").read_text().partition("| Step |")[2].splitlines()[2:]
    rows = [
        re.fullmatch(r"\| (?P<step>[^|]+) \| .+ \| `(?P<counterpart>[^`]+)` \| `(?P<text>.+)` \|", line)
        for line in lines[: lines.index("")]
    ]
    assert all(rows), "every line of the table has four columns, the last two in backticks"
    return [Row(**row.groupdict()) for row in rows if row]


def source_of(counterpart: str) -> str:
    """Return the text of what is named: a whole file, or one name in it; fail if it does not exist."""
    name, _, symbol = counterpart.partition(":")
    path = ROOT / name[1:] if name.startswith("/") else EXAMPLE / name
    assert path.is_file(), f"{path} does not exist"
    text = path.read_text()
    return source_of_symbol(text, symbol) if symbol else text


def source_of_symbol(text: str, symbol: str) -> str:
    scope: ast.AST = ast.parse(text)
    for part in symbol.split("."):
        found = [node for node in ast.iter_child_nodes(scope) if part in names_of(node)]
        assert found, f"no {part} there"
        scope = found[0]
    lines = text.splitlines()[first_line(scope) - 1 : getattr(scope, "end_lineno", None)]
    return one_line("\n".join(lines))


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def first_line(node: ast.AST) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min(getattr(part, "lineno", 1) for part in [node, *decorators])


def one_line(text: str) -> str:
    """Undo what a formatter does to long lines, so that only the words count."""
    flat = " ".join(text.split())
    return re.sub(r",? ([)\]}])", r"\1", re.sub(r"([(\[{]) ", r"\1", flat))


@pytest.mark.parametrize("row", table(), ids=lambda row: f"{row.step} {row.counterpart} {row.text}")
def test_what_the_table_says_stands_in_the_code(row: Row) -> None:
    assert one_line(row.text) in one_line(source_of(row.counterpart))


def test_the_table_has_every_step_in_order() -> None:
    assert list(dict.fromkeys(row.step for row in table())) == STEPS


@pytest.mark.parametrize(("counterpart", "text"), CONSTANTS)
def test_the_constants_are_those_of_the_example_it_follows(counterpart: str, text: str) -> None:
    assert text in source_of(counterpart)


def test_a_welcome_email_is_due_after_5_minutes_and_retries_after_60_300_and_900_seconds() -> None:
    settings = from_environment({})
    assert settings == Settings()
    assert settings.welcome_delay == timedelta(minutes=5)
    assert settings.retry_intervals == (60, 300, 900)
    assert settings.port == 5000


def test_the_environment_changes_what_it_names() -> None:
    settings = from_environment(
        {"WELCOME_DELAY_SECONDS": "4", "RETRY_INTERVALS": "3, 300,900", "PORT": "5066"}
    )
    assert settings.welcome_delay == timedelta(seconds=4)
    assert settings.retry_intervals == (3, 300, 900)
    assert settings.port == 5066


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", ""),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("SMTP_PORT", "smtp"),
        ("WELCOME_DELAY_SECONDS", "-1"),
        ("WELCOME_DELAY_SECONDS", "1.5"),
        ("WELCOME_DELAY_SECONDS", "²"),
        ("RETRY_INTERVALS", ""),
        ("RETRY_INTERVALS", "60;300"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}="):
        from_environment({name: value})


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"email": "user@example.com"},
        {"email": "user@example.com", "name": " "},
        {"email": "user@example.com", "name": "a\nb"},
        {"email": "user@example.com", "name": "x" * 101},
        {"email": "user@example.com", "name": "John", "admin": True},
        {"email": "user", "name": "John"},
        {"email": "user@localhost", "name": "John"},
        {"email": "user@example.com\n", "name": "John"},
        {"email": "one@example.com, two@example.com", "name": "John"},
        {"email": f"{'x' * 250}@example.com", "name": "John"},
    ],
)
def test_a_registration_that_makes_no_sense_is_refused(body: object) -> None:
    with pytest.raises(ValueError, match="RegisterRequest"):
        RegisterRequest.model_validate(body)


def test_a_registration_keeps_address_and_name() -> None:
    body = RegisterRequest.model_validate({"email": "user@example.com", "name": " Zoë Ünal "})
    assert (body.email, body.name) == ("user@example.com", "Zoë Ünal")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(lambda: f"sqlite:///{tmp_path}/example.db")
    database.create_tables()
    yield database
    database.engine.dispose()


@pytest.mark.parametrize(
    ("error", "subjects"),
    [
        (smtplib.SMTPDataError(451, b"later"), ["Email service failure"]),
        (smtplib.SMTPConnectError(421, "no answer"), ["Email service failure"]),
        (ValueError("x"), []),
    ],
)
def test_only_a_failure_of_the_mail_server_alerts_the_operators(
    database: Database, error: Exception, subjects: list[str]
) -> None:
    handler = NotificationExceptionHandler(AlertService(database))
    handler.handle_exception(error, uuid4(), TickerType.TIME_TICKER)
    handler.handle_canceled_exception(error, uuid4(), TickerType.TIME_TICKER)
    with database.transaction() as session:
        assert list(session.scalars(select(Alert.subject))) == subjects


def test_an_unreachable_mail_server_is_an_smtp_error_too() -> None:
    service = EmailService("127.0.0.1", free_port())
    with pytest.raises(smtplib.SMTPConnectError, match="no answer from 127"):
        service.send(to="user@example.com", subject="x", body="x")


def test_the_demo_asks_for_embedded_mode_unless_servers_are_named() -> None:
    urls = {"BROKER_URL": "redis://x/0", "STORE_URL": "postgresql+psycopg://x/y"}
    assert demo_environment({})["TICKERQ_EMBEDDED"] == "1"
    assert "TICKERQ_EMBEDDED" not in demo_environment(urls)
    for name, url in urls.items():
        with pytest.raises(DemoError, match=name):
            demo_environment({name: url})


def test_the_demo_takes_what_the_user_sets() -> None:
    mine = {"WELCOME_DELAY_SECONDS": "4", "RETRY_INTERVALS": "1", "CELERY_BROKER_URL": "redis://elsewhere/0"}
    environ = demo_environment(mine)
    assert environ["WELCOME_DELAY_SECONDS"] == "4"
    assert environ["RETRY_INTERVALS"] == "1"
    assert "CELERY_BROKER_URL" not in environ


@pytest.fixture
def users(database: Database, tmp_path: Path) -> Iterator[UserService]:
    tickerq = TickerQ(
        Celery("notifications", broker="memory://", set_as_current=False),
        database.engine.url.render_as_string(),
    )
    tickerq.create_schema()
    yield UserService(database, tickerq, Settings())
    tickerq.close()


def send_nothing(request: WelcomeEmailRequest) -> None:
    """Stand in for the function that workers run."""


def emails_of(database: Database) -> list[str]:
    with database.transaction() as session:
        return list(session.scalars(select(User.email)))


def test_a_registration_stores_the_user_and_the_welcome_email(users: UserService) -> None:
    users.tickerq.function("SendWelcomeEmail")(send_nothing)
    before = utc_now()
    user = users.register_user("user@example.com", "John Doe")
    [run] = users.tickerq.time_tickers.find().items
    assert emails_of(users.database) == ["user@example.com"]
    assert run.execution_time is not None
    assert timedelta(minutes=5) <= run.execution_time - before < timedelta(minutes=6)
    assert (run.retries, run.retry_intervals) == (3, (60, 300, 900))
    assert run.request == {"email": "user@example.com", "name": "John Doe", "user_id": str(user.id)}


def test_a_welcome_email_that_is_refused_leaves_no_user(users: UserService) -> None:
    with pytest.raises(TickerError, match="SendWelcomeEmail"):
        users.register_user("user@example.com", "John Doe")
    assert emails_of(users.database) == []


def test_a_user_who_cannot_be_stored_leaves_no_welcome_email(users: UserService) -> None:
    users.tickerq.function("SendWelcomeEmail")(send_nothing)
    with users.database.transaction() as session:
        session.execute(text("DROP TABLE users"))
    with pytest.raises(OperationalError):
        users.register_user("user@example.com", "John Doe")
    assert users.tickerq.time_tickers.find().items == ()
