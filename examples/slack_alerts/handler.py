"""Posts to a Slack webhook what failed, why, and where to look."""

import html
import json
import os
from dataclasses import dataclass, field
from urllib.request import Request, urlopen
from uuid import UUID

from tickerq_celery import Run, TickerType

SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SlackAlerts:
    """Alerts when no attempt follows; each attempt before that is the retries' business.

    ``dashboard`` is the address of the dashboard, such as ``https://shop.example/tickerq``.
    """

    # Who knows it may post: it stands in no repr, and so in no log.
    webhook: str = field(default_factory=lambda: os.environ["SLACK_WEBHOOK"], repr=False)
    dashboard: str = field(default_factory=lambda: os.environ.get("TICKERQ_DASHBOARD", ""))

    def handle_exception(self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType) -> None:
        """Leave a failed attempt to its retries."""

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType
    ) -> None:
        """Leave a cancelled run to who cancelled it."""

    def handle_final_failure(
        self, exception: BaseException, ticker_id: UUID, ticker_type: TickerType, run: Run | None = None
    ) -> None:
        """Post one message; what goes wrong is logged by the worker, and changes no run."""
        what = f"Run {ticker_id}" if run is None else run.function
        why = f"{type(exception).__name__}: {exception}" if run is None else _why(run)
        # Slack reads &, < and > as its own.
        text = f"*{html.escape(what, quote=False)}* has failed: {html.escape(why, quote=False)}"
        if self.dashboard:
            text += f"\n<{self.dashboard.rstrip('/')}/runs/{ticker_id}|Look at it>"
        body = json.dumps({"text": text}).encode()
        request = Request(self.webhook, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=SECONDS):
            pass


def _why(run: Run) -> str:
    attempts = "1 attempt" if len(run.attempts) == 1 else f"{len(run.attempts)} attempts"
    return f"{run.exception_type}: {run.exception_message} ({attempts})"
