"""A mail server for the demo: it refuses the first delivery, and prints the others."""

import asyncio
import signal
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession

from examples.notifications.settings import from_environment

REFUSAL = "451 4.3.0 this server refuses its first delivery; try again later"


class RefuseFirstDelivery:
    """Takes every mail but the first; the sender has to come back with that one."""

    def __init__(self) -> None:
        self._has_refused = False

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802
        """Answer one delivery (aiosmtpd finds this method by its name)."""
        recipients = ", ".join(envelope.rcpt_tos)
        if not self._has_refused:
            self._has_refused = True
            say(f"refused the first delivery, to {recipients}, so that you see a retry")
            return REFUSAL
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        say(f'delivered to {recipients}: "{mail["subject"]}"')
        return "250 2.0.0 delivered"


def say(text: str) -> None:
    """Print one event at once."""
    print(text, flush=True)


async def serve(host: str, port: int) -> None:
    """Take mail until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    handler = RefuseFirstDelivery()
    server = await loop.create_server(lambda: SMTP(handler, hostname="localhost"), host, port)
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    say(f"listening on {host}:{port}")
    await done.wait()
    server.close()


def main() -> None:
    """Serve where the example sends its mail to."""
    settings = from_environment()
    try:
        asyncio.run(serve(settings.smtp_host, settings.smtp_port))
    except OSError as exc:
        sys.exit(f"the mail server cannot listen on port {settings.smtp_port}: {exc.strerror}")


if __name__ == "__main__":
    main()
