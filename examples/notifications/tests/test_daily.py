"""The jobs with a timetable: when they run, and what they do."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from examples.notifications.celery_app import database
from examples.notifications.jobs import cleanup_old_notifications, send_daily_digest
from examples.notifications.models import Notification, User, utc_now
from examples.notifications.tests.conftest import Outbox
from tickerq_celery import TickerContext
from tickerq_celery.testing import TickerQTest


def add_user(*ages: timedelta) -> None:
    """Store a user with a notification of each age."""
    with database.transaction() as session:
        user = User(email="ada@example.com", name="Ada")
        session.add(user)
        session.flush()
        for age in ages:
            session.add(Notification(user_id=user.id, message="news", created_at=utc_now() - age))


def test_in_a_month_both_jobs_run_once_a_day(tickerq: TickerQTest) -> None:
    tickerq.clock.set(datetime(2027, 6, 1, tzinfo=UTC))
    tickerq.clock.advance(days=30)
    functions = [run.function for run in tickerq.run_due()]
    assert functions.count("SendDailyDigest") == functions.count("CleanupOldNotifications") == 30


def test_after_days_without_a_beat_users_get_one_digest(tickerq: TickerQTest, outbox: Outbox) -> None:
    add_user(timedelta(hours=1))
    tickerq.clock.advance(days=3)
    tickerq.run_due(beat_was_down=True)
    assert outbox.sent == [("ada@example.com", "Daily Digest")]


def test_a_user_without_news_gets_no_digest(outbox: Outbox) -> None:
    add_user(timedelta(days=2))
    send_daily_digest(TickerContext.for_test())
    assert outbox.sent == []


def test_notifications_are_kept_for_thirty_days() -> None:
    add_user(timedelta(days=29), timedelta(days=31))
    cleanup_old_notifications(TickerContext.for_test())
    with database.transaction() as session:
        assert session.scalars(select(func.count()).select_from(Notification)).one() == 1
