"""Wires the example: the Celery app, the tickers on it, and the services the functions use."""

from celery import Celery

from examples.notifications.alerts import AlertService
from examples.notifications.database import Database
from examples.notifications.email_service import EmailService
from examples.notifications.exception_handler import NotificationExceptionHandler
from examples.notifications.logs import configure_celery_logs
from examples.notifications.settings import from_environment
from tickerq_celery import TickerQ

settings = from_environment()
app = Celery("notifications", broker=settings.broker_url, include=["examples.notifications.jobs"])
database = Database(lambda: tickerq.store_url)
email_service = EmailService(settings.smtp_host, settings.smtp_port)
tickerq: TickerQ = TickerQ(
    app,
    store_url=settings.store_url,
    exception_handler=NotificationExceptionHandler(AlertService(database)),
    node_identifier="notification-server",
    max_concurrency=10,
    time_zone=settings.time_zone,
    store_engine_options={"pool_size": 34},
    store_retries=3,
)
configure_celery_logs(short=settings.short_logs)
