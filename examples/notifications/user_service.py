"""Registers users."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from examples.notifications.database import Database
from examples.notifications.models import Notification, User
from examples.notifications.requests import WelcomeEmailRequest
from examples.notifications.settings import Settings
from tickerq_celery import TickerQ, TimeTicker


@dataclass(frozen=True, slots=True)
class UserService:
    """Registers users, each with a first notification and a welcome email in the same transaction."""

    database: Database
    tickerq: TickerQ
    settings: Settings

    def register_user(self, email: str, name: str) -> User:
        """Store a user, a line for the next digest and the welcome email: all of them, or none."""
        user = User(id=uuid4(), email=email, name=name)
        with self.database.transaction() as session:
            session.add(user)
            session.flush()  # the user's row first: a notification refers to it
            session.add(Notification(user_id=user.id, message="You registered."))
            self.tickerq.time_tickers.add(self._welcome_email(user), session=session)
        return user

    def _welcome_email(self, user: User) -> TimeTicker:
        return TimeTicker(
            function="SendWelcomeEmail",
            execution_time=datetime.now(UTC) + self.settings.welcome_delay,
            request=WelcomeEmailRequest(email=user.email, name=user.name, user_id=user.id),
            description=f"Welcome email for {user.email}",
            retries=3,
            retry_intervals=self.settings.retry_intervals,
        )
