"""Registering a user: what is stored, what is scheduled, and what becomes of the welcome email."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from examples.notifications.celery_app import database
from examples.notifications.jobs import send_welcome_email
from examples.notifications.models import Alert, User
from examples.notifications.requests import WelcomeEmailRequest
from examples.notifications.tests.conftest import Outbox
from examples.notifications.web import create_app, user_service
from tickerq_celery import Run, TickerStatus
from tickerq_celery.testing import TickerQTest


def rows(table: type[User | Alert]) -> int:
    with database.transaction() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def emails_run(tickerq: TickerQTest) -> list[Run]:
    """Run what is due; return the runs of welcome emails, as a daily job may be due in the same hour."""
    return [run for run in tickerq.run_due() if run.function == send_welcome_email.name]


def test_a_registration_schedules_a_welcome_email_in_five_minutes(tickerq: TickerQTest) -> None:
    user = user_service.register_user("ada@example.com", "Ada")
    tickerq.assert_scheduled(
        send_welcome_email,
        request=WelcomeEmailRequest(email="ada@example.com", name="Ada", user_id=user.id),
        at=tickerq.clock.now() + timedelta(minutes=5),
    )


def test_a_registration_that_is_rolled_back_schedules_nothing(tickerq: TickerQTest) -> None:
    with pytest.raises(IntegrityError):
        user_service.register_user("ada@example.com", None)  # type: ignore[arg-type]  # what the table refuses
    tickerq.refute_scheduled(send_welcome_email)
    assert rows(User) == 0


def test_the_email_is_sent_after_five_minutes(tickerq: TickerQTest, outbox: Outbox) -> None:
    response = (
        create_app()
        .test_client()
        .post("/api/users/register", json={"email": "ada@example.com", "name": "Ada"})
    )
    assert response.status_code == 200
    tickerq.run_due()
    assert outbox.sent == []
    tickerq.clock.advance(minutes=5)
    [run] = emails_run(tickerq)
    assert run.status is TickerStatus.DONE
    assert outbox.sent == [("ada@example.com", "Welcome!")]


def test_a_mail_server_that_refuses_is_asked_again_and_alerts_the_operators(
    tickerq: TickerQTest, outbox: Outbox
) -> None:
    outbox.refuses = 2
    user_service.register_user("ada@example.com", "Ada")
    tickerq.clock.advance(minutes=5 + 1 + 5)
    [run] = emails_run(tickerq)
    assert [attempt.status for attempt in run.attempts] == [
        TickerStatus.FAILED,
        TickerStatus.FAILED,
        TickerStatus.DONE,
    ]
    assert (len(outbox.sent), rows(Alert)) == (1, 2)


def test_an_email_that_is_never_taken_fails_after_three_retries(tickerq: TickerQTest, outbox: Outbox) -> None:
    outbox.refuses = 10
    user_service.register_user("ada@example.com", "Ada")
    tickerq.clock.advance(hours=1)
    [run] = emails_run(tickerq)
    assert (run.status, len(run.attempts), outbox.sent) == (TickerStatus.FAILED, 4, [])
