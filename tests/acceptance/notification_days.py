"""The notification example in one process, at the moments that are named on its command line.

The store's clock is set to each moment in turn. What is due then is fired, dispatched and executed by the
code that beat and workers run, and mail goes to a server of this process. It prints a line of JSON for each
run that started and for each mail. With ``--cancel``, a mail of the digest makes an operator cancel its run.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any
from uuid import UUID

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from examples.notifications import migrate
from examples.notifications.celery_app import app, database, settings, tickerq
from examples.notifications.models import Notification, User
from examples.notifications.user_service import UserService
from tests.integration.apps import deliver, dispatch_due, enrol_worker, fire_crons, messages
from tests.manual_clock import ManualClock
from tickerq_celery import TickerType

CANCEL = "--cancel"
OLD = timedelta(days=31)


class Mailbox:
    """Prints each mail; where it is to cancel, a digest's mail ends the run that sent it."""

    def __init__(self, *, cancels: bool) -> None:
        self._cancels = cancels
        self.running: UUID | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        say(mail=envelope.rcpt_tos[0], subject=mail["subject"], body=mail.get_content().splitlines())
        if self._cancels and mail["subject"] == "Daily Digest":
            self._cancel()
        return "250 delivered"

    def _cancel(self) -> None:
        assert self.running is not None
        tickerq.runs.cancel(self.running)
        # As the broker's control command does in a worker's main process.
        tickerq._process.get().cancel_flag.set()


def say(**event: Any) -> None:
    print(json.dumps(event), flush=True)


def prepare(clock: ManualClock) -> None:
    """Make the tables, seed the crons, enrol a worker, register two users, one with an old notification."""
    tickerq._process.rebuild(replace(tickerq.core, clock=clock))
    app.loader.import_default_modules()
    migrate.main()
    tickerq.seed()
    enrol_worker(tickerq)
    users = [
        UserService(database, tickerq, settings).register_user(f"{name}@example.com", name.title())
        for name in ("ada", "grace")
    ]
    add_old_notification(users[0])


def add_old_notification(user: User) -> None:
    long_ago = datetime.now(UTC) - OLD
    with database.transaction() as session:
        session.add(Notification(user_id=user.id, message="long ago", created_at=long_ago))


def live(clock: ManualClock, moments: Sequence[datetime], mailbox: Mailbox) -> None:
    for moment in moments:
        clock.set(moment)
        fire_crons(tickerq)
        dispatch_due(tickerq)
        for message in messages(tickerq):
            mailbox.running = UUID(message.headers["ticker"][0])
            deliver(tickerq, message)
            run = tickerq.runs.get(mailbox.running)
            if run.type is TickerType.CRON_TICKER_OCCURRENCE:
                say(at=moment.isoformat(), function=run.function, status=run.status.name)


def main() -> None:
    arguments = sys.argv[1:]
    moments = [datetime.fromisoformat(each) for each in arguments if each != CANCEL]
    clock = ManualClock(moments[0])
    mailbox = Mailbox(cancels=CANCEL in arguments)
    server = Controller(mailbox, hostname="127.0.0.1", port=int(os.environ["SMTP_PORT"]))
    server.start()
    prepare(clock)
    live(clock, moments[1:], mailbox)
    server.stop()


if __name__ == "__main__":
    main()
