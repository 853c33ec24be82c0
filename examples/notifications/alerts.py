"""Alert operators when something needs them."""

import logging
from dataclasses import dataclass

from examples.notifications.database import Database
from examples.notifications.models import Alert

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AlertService:
    """Keeps alerts where operators look: in the log and in the table ``alerts``."""

    database: Database

    def send_alert(self, subject: str, details: str) -> None:
        """Record one alert."""
        logger.error("alert for the operators: %s", subject)
        with self.database.transaction() as session:
            session.add(Alert(subject=subject, details=details))
