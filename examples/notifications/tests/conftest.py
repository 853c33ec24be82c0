"""Each test has the example's own tables in the test's store, and a mail server that is none."""

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from examples.notifications import jobs
from examples.notifications.celery_app import database
from examples.notifications.models import Base
from tickerq_celery.testing import TickerQTest


@dataclass
class Outbox:
    """Takes the place of the mail server, and refuses so many mails."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    refuses: int = 0

    def send(self, *, to: str, subject: str, body: str) -> None:
        if self.refuses:
            self.refuses -= 1
            raise smtplib.SMTPServerDisconnected("come back later")
        self.sent.append((to, subject))


@pytest.fixture(autouse=True)
def tables(tickerq: TickerQTest) -> Iterator[None]:
    """Make the example's tables, beside those of the store, which is a new one for each test."""
    Base.metadata.create_all(database.engine)
    yield
    database.engine.dispose()
    del database.engine  # it is made anew, for the store of the next test


@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    box = Outbox()
    monkeypatch.setattr(jobs, "email_service", box)
    return box
