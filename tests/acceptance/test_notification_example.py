"""The notification example, part by part: its settings, its requests, its services."""

import smtplib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from tzlocal import get_localzone_name

from examples.notifications.alerts import AlertService
from examples.notifications.database import Database
from examples.notifications.demo_setup import DemoError, demo_environment
from examples.notifications.email_service import EmailService
from examples.notifications.exception_handler import NotificationExceptionHandler
from examples.notifications.models import Alert, Base, Notification, User, utc_now
from examples.notifications.requests import RegisterRequest, WelcomeEmailRequest
from examples.notifications.settings import SettingError, Settings, from_environment
from examples.notifications.user_service import UserService
from tests.servers.ports import free_port
from tickerq_celery import TickerError, TickerQ, TickerType


def test_a_welcome_email_is_due_after_5_minutes_and_retries_after_60_300_and_900_seconds() -> None:
    settings = from_environment({})
    assert settings == Settings()
    assert settings.welcome_delay == timedelta(minutes=5)
    assert settings.retry_intervals == (60, 300, 900)
    assert settings.port == 8000
    assert settings.time_zone == get_localzone_name()


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
    Base.metadata.create_all(database.engine)
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


def notifications_of(users: UserService) -> list[str]:
    with users.database.transaction() as session:
        return list(session.scalars(select(Notification.message)))


def test_a_registration_stores_the_user_a_notification_and_the_welcome_email(users: UserService) -> None:
    users.tickerq.function("SendWelcomeEmail")(send_nothing)
    before = utc_now()
    user = users.register_user("user@example.com", "John Doe")
    [run] = users.tickerq.time_tickers.find()
    assert emails_of(users.database) == ["user@example.com"]
    assert notifications_of(users) == ["You registered."]
    assert run.execution_time is not None
    assert timedelta(minutes=5) <= run.execution_time - before < timedelta(minutes=6)
    assert (run.retries, run.retry_intervals) == (3, tuple(timedelta(minutes=each) for each in (1, 5, 15)))
    assert run.request == {"email": "user@example.com", "name": "John Doe", "user_id": str(user.id)}


def test_a_welcome_email_that_is_refused_leaves_no_user(users: UserService) -> None:
    with pytest.raises(TickerError, match="SendWelcomeEmail"):
        users.register_user("user@example.com", "John Doe")
    assert (emails_of(users.database), notifications_of(users)) == ([], [])


def test_a_user_who_cannot_be_stored_leaves_no_welcome_email(users: UserService) -> None:
    users.tickerq.function("SendWelcomeEmail")(send_nothing)
    with users.database.transaction() as session:
        session.execute(text("DROP TABLE users"))
    with pytest.raises(OperationalError):
        users.register_user("user@example.com", "John Doe")
    assert not users.tickerq.time_tickers.find()
