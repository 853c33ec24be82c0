"""Each row of the route table that reads is among those whose statements the plans look at."""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from tests.dashboard.addresses import rows_of
from tests.integration.apps import ticker_app
from tests.pages import section, table
from tests.plans import forms
from tests.plans.bounds import ARGUED
from tests.plans.history import BIG, History
from tests.plans.pages import PAGES
from tests.plans.programs import ANSWERS
from tests.plans.things import filled
from tests.plans.visiting import BASE, client_of
from tickerq_dashboard.api import exports
from tickerq_dashboard.routes import ROUTES


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with ticker_app(f"sqlite:///{tmp_path}/none.db", "plans") as tickerq:
        yield client_of(tickerq).application


def asked() -> Collection[str]:
    """The addresses that are asked, of things that one namespace has."""
    history = History(runs=1_000, until=datetime.now(UTC))
    names = {re.split(", (?:older|with)", name)[0] for name in (*PAGES, *ANSWERS)}
    return [filled(each, BIG, history) for each in names | set(forms.addresses())]


def test_each_row_that_is_got_is_asked(app: Flask) -> None:
    rows = {route.name for route in ROUTES if route.method == "GET"}
    assert rows - rows_of(app, BASE, asked()) == {"static"}


def test_each_form_that_only_reads_is_sent() -> None:
    posted = [route for route in ROUTES if route.method == "POST" and not route.is_api]
    rows = {each for each in posted if each.audit == exports.VERB or each.name.startswith("ask_")}
    assert {each.name: each.path for each in rows} == forms.SENT


def test_the_docs_say_which_pages_send_more_than_twelve_statements_and_why() -> None:
    rows = [
        row
        for row in table(section("docs/operations/dashboard-speed.md", "# How fast the pages are"))
        if len(row) == 3
    ]
    said = {re.sub(r"\[(.*?)\]\(.*?\)", r"\1", why): most for _, most, why in rows if most.isdigit()}
    assert said == {each.why: str(each.most) for each in ARGUED.values()}
