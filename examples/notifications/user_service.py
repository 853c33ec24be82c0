"""Registers users."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from examples.notifications.database import Database
from examples.notifications.models import User
from examples.notifications.requests import WelcomeEmailRequest
from examples.notifications.settings import Settings
from tickerq_celery import TickerQ, TimeTicker


@dataclass(frozen=True, slots=True)
class UserService:
    """Registers users, each with a welcome email in the same transaction."""

    database: Database
    tickerq: TickerQ
    settings: Settings

    def register_user(self, email: str, name: str) -> User:
        """Store a user and schedule the welcome email: both, or neither."""
        user = User(id=uuid4(), email=email, name=name)
        with self.database.transaction() as session:
            session.add(user)
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
