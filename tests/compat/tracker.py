"""What watches Celery's tasks in production: an error tracker and a tracer of requests.

The tracker is Sentry's SDK, which hooks Celery's signals; its transport appends to a file.
"""

from pathlib import Path
from typing import Any

import sentry_sdk
from celery import Celery, Task
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.transport import Transport

from tests.compat import lines


def start(path: Path) -> None:
    """Write a line for each exception that the tracker would be sent: the task's name and the type."""

    class FileTransport(Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            event = envelope.get_event() or {}
            for exception in event.get("exception", {}).get("values", []):
                lines.append(path, f"{event.get('transaction')} {exception['type']}")

    sentry_sdk.init("http://key@127.0.0.1:9/1", transport=FileTransport, integrations=[CeleryIntegration()])


def trace(app: Celery) -> None:
    """Send a trace's id with each call, as Datadog's tracer does: in headers of its own within the headers.

    They take the place of all others in the ``headers`` of the task's request.
    """

    class TracedTask(Task):  # type: ignore[type-arg]  # Celery 5.6 cannot subscript it
        def apply_async(self, *args: Any, headers: dict[str, Any] | None = None, **options: Any) -> Any:
            traced = {**(headers or {}), "trace": "7", "headers": {"trace": "7"}}
            return super().apply_async(*args, headers=traced, **options)

    app.Task = TracedTask
