"""The functions that workers run."""

import logging
import smtplib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from examples.notifications.celery_app import database, email_service
from examples.notifications.models import Notification, User, utc_now
from examples.notifications.requests import WelcomeEmailRequest
from tickerq_celery import TickerContext, ticker_function

DIGEST_WINDOW = timedelta(days=1)
KEEP_NOTIFICATIONS = timedelta(days=30)

logger = logging.getLogger(__name__)


@ticker_function("SendWelcomeEmail", retries=3, retry_intervals=[60, 300, 900])
def send_welcome_email(context: TickerContext[WelcomeEmailRequest]) -> None:
    """Greet a user who registered a few minutes ago."""
    context.raise_if_cancelled()
    request = context.request
    try:
        email_service.send(
            to=request.email,
            subject="Welcome!",
            body=f"Hello {request.name}, welcome to our platform!",
        )
    except smtplib.SMTPException:
        logger.exception("failed to send the welcome email to %s", request.email)
        raise  # the attempt has failed; the ticker's retries take it from here
    logger.info("welcome email sent to %s", request.email)


@ticker_function("SendDailyDigest", cron="0 0 9 * * *")
def send_daily_digest(context: TickerContext) -> None:
    """Send each user what happened since yesterday; one user's failure does not stop the others."""
    logger.info("starting the daily digest")
    with database.transaction() as session:
        users = session.scalars(select(User)).all()
    for user in users:
        context.raise_if_cancelled()  # outside of try: a cancel stops the digest of all
        try:
            send_digest(user)
        except Exception:
            # Whatever is wrong with one user, the others get their mail.
            logger.exception("failed to send the digest to %s", user.email)
    logger.info("daily digest completed")


@ticker_function("CleanupOldNotifications", cron="0 0 0 * * *")
def cleanup_old_notifications(context: TickerContext) -> None:
    """Delete the notifications that are not needed any more."""
    cutoff = utc_now() - KEEP_NOTIFICATIONS
    with database.transaction() as session:
        old = session.scalars(select(Notification.id).where(Notification.created_at < cutoff)).all()
        context.raise_if_cancelled()
        session.execute(delete(Notification).where(Notification.created_at < cutoff))
    logger.info("cleaned up %d old notifications", len(old))


def send_digest(user: User) -> None:
    """Send one user's digest, unless there is nothing to say."""
    with database.transaction() as session:
        messages = messages_since_yesterday(session, user)
    if messages:
        email_service.send(to=user.email, subject="Daily Digest", body=format_digest(messages))


def messages_since_yesterday(session: Session, user: User) -> Sequence[str]:
    """Return what happened to this user, oldest first."""
    return session.scalars(
        select(Notification.message)
        .where(Notification.user_id == user.id, Notification.created_at >= utc_now() - DIGEST_WINDOW)
        .order_by(Notification.created_at)
    ).all()


def format_digest(messages: Sequence[str]) -> str:
    """Return the text of a digest, one line a message."""
    return "\n".join(["Your daily digest:", *(f"- {message}" for message in messages)])
