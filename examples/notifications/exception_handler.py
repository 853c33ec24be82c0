"""What happens besides the retry when an attempt fails."""

import logging
import smtplib
from dataclasses import dataclass
from uuid import UUID

from examples.notifications.alerts import AlertService
from tickerq_celery import TickerType

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotificationExceptionHandler:
    """Logs every failed attempt, and alerts the operators when the mail server is the cause."""

    alerts: AlertService

    def handle_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType) -> None:
        """Take note of one failed attempt."""
        logger.error("job %s (%s) failed", ticker_id, ticker_type.name, exc_info=exception)
        if isinstance(exception, smtplib.SMTPException):
            self.alerts.send_alert("Email service failure", repr(exception))

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None:
        """Take note of one run that was cancelled."""
        logger.warning("job %s (%s) was cancelled", ticker_id, ticker_type.name)
