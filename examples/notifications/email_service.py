"""Sends mail over SMTP."""

import smtplib
from dataclasses import dataclass
from email.message import EmailMessage

SENDER = "notifications@example.com"
TIMEOUT_SECONDS = 10
SERVICE_NOT_AVAILABLE = 421


@dataclass(frozen=True, slots=True)
class EmailService:
    """Delivers mail to one SMTP server."""

    host: str
    port: int

    def send(self, *, to: str, subject: str, body: str) -> None:
        """Hand one mail to the server; whatever goes wrong there is an ``smtplib.SMTPException``."""
        message = EmailMessage()
        message["From"] = SENDER
        message["To"] = to
        message["Subject"] = subject
        message.set_content(body)
        try:
            with smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS) as server:
                server.send_message(message)
        except smtplib.SMTPException:  # an OSError too, and already what callers expect
            raise
        except OSError as exc:
            reason = f"no answer from {self.host}:{self.port}: {exc}"
            raise smtplib.SMTPConnectError(SERVICE_NOT_AVAILABLE, reason) from exc
