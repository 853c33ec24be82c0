"""Visit the dashboard as an admin's browser does, as the first of those who ask in a moment."""

import re
import time
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from html import unescape
from typing import Any
from unittest.mock import patch

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.plans.history import History
from tests.plans.stored import Read
from tests.plans.things import filled
from tickerq_celery import TickerQ
from tickerq_dashboard import User, create_app
from tickerq_dashboard.access.csrf import FIELD, CsrfTokens
from tickerq_dashboard.access.signing import key_of
from tickerq_dashboard.health import HealthWatch, KnownReport
from tickerq_dashboard.reading.cache import MomentCache

BASE = "/tickerq/dashboard"
_SECRET, _USER = "0123456789abcdef", "ann"
_UNREAD = KnownReport(report=None, age=0.0)


@lru_cache(maxsize=1)
def client_of(tickerq: TickerQ) -> FlaskClient:
    """Return a browser of an admin; to make a dashboard takes as long as most pages do."""
    app = create_app(tickerq, auth=lambda request: User(name=_USER, role="admin"), secret=_SECRET)
    return app.test_client()


def show(client: FlaskClient, path: str, answers: Collection[int] = (200,)) -> str:
    """Return a page's HTML, without the health report, which a thread of its own reads each five seconds."""
    with _anew(), _known(_UNREAD):
        return _checked(client.get(BASE + path), path, answers)


def _anew() -> AbstractContextManager[Any]:
    """Let a page use nothing that was read for one before it: what it reads once counts for each page."""
    began = time.monotonic()
    return patch.object(MomentCache, "_is_old", lambda _, flight, fresh: flight.at < began)


def _known(report: KnownReport) -> AbstractContextManager[Any]:
    """Let pages show a report, rather than read one."""
    nothing, known = (lambda _: None), (lambda *_: report)
    return patch.multiple(HealthWatch, begin=nothing, refresh=nothing, look=known, ask=known)


def _checked(answer: TestResponse, path: str, answers: Collection[int]) -> str:
    assert answer.status_code in answers, (path, answer.status_code)
    return answer.text


def page(template: str, answers: Collection[int] = (200,)) -> Read:
    """Return a read of a page, or of an answer of the API."""

    def read(tickerq: TickerQ, history: History) -> object:
        return show(client_of(tickerq), filled(template, tickerq.config.namespace, history), answers)

    return read


def older_page(template: str) -> Read:
    """Return a read of a list's first page and of the one that it leads to."""

    def read(tickerq: TickerQ, history: History) -> object:
        client = client_of(tickerq)
        first = show(client, filled(template, tickerq.config.namespace, history))
        found = re.search(r'rel="next" href="([^"]+)"', first)
        return None if found is None else show(client, unescape(found[1]).removeprefix(BASE))

    return read


def page_with_report(path: str) -> Read:
    """Return a read of a page with the health report, which is read for it."""

    def read(tickerq: TickerQ, history: History) -> object:
        known = KnownReport(report=tickerq.health.report(), age=0.0)
        with _anew(), _known(known):
            # A probe says what is not well by its status.
            return _checked(client_of(tickerq).get(BASE + path), path, (200, 503))

    return read


def sent(route: str, path: str, answers: Collection[int], fields: Mapping[str, object]) -> Read:
    """Return a read of what answers a form of a page."""

    def read(tickerq: TickerQ, history: History) -> object:
        token = CsrfTokens(key_of(_SECRET)).token(_USER, route)
        namespace = tickerq.config.namespace
        form = {name: filled(str(value), namespace, history) for name, value in fields.items()}
        with _anew(), _known(_UNREAD):
            answer = client_of(tickerq).post(BASE + path, data=form | {FIELD: token}, buffered=True)
        return _checked(answer, path, answers)

    return read
