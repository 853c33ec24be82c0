"""Requests that are compressed and encrypted, on each database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.integration.apps import (
    add_run,
    dispatch_due,
    enrol_worker,
    execute,
    fire_crons,
    row_of,
    ticker_app,
)
from tests.manual_clock import ManualClock
from tickerq_celery import CronTicker, TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.payload.codec import Encoding

KEY, OTHER_KEY = (Fernet.generate_key().decode() for _ in range(2))
REQUEST = {"to": "ada@example.com", "lines": ["the same words"] * 100}
BOTH = Encoding.ZLIB | Encoding.FERNET


@pytest.fixture
def app(store_url: str, namespace: str, clock: ManualClock) -> Callable[..., AbstractContextManager[TickerQ]]:
    return lambda **settings: ticker_app(store_url, namespace, clock, compress_over=100, **settings)


@pytest.fixture
def tickerq(app: Callable[..., AbstractContextManager[TickerQ]]) -> Iterator[TickerQ]:
    with app(encryption_keys=[KEY]) as made:
        yield made


def test_a_body_is_given_the_request_that_the_row_keeps_packed(tickerq: TickerQ) -> None:
    seen: list[object] = []

    def body(context: TickerContext) -> None:
        seen.append(context.request)

    run = add_run(tickerq, body, request=REQUEST)
    row = row_of(tickerq, run.id)
    assert (row.encoding, b"ada" in row.request) == (BOTH, False)
    execute(tickerq)
    assert seen == [REQUEST]
    assert run.request == tickerq.runs.get(run.id).request == REQUEST


def test_an_edit_writes_the_encoding_with_the_request(tickerq: TickerQ, clock: ManualClock) -> None:
    run = tickerq.time_tickers.add(
        TimeTicker(function="Far", execution_time=clock.now().replace(year=2040), request=REQUEST),
        allow_unknown=True,
    )
    assert tickerq.time_tickers.update(run.id, request=[1], allow_unknown=True).request == [1]
    assert row_of(tickerq, run.id).encoding == Encoding.FERNET


@pytest.mark.parametrize("keys", [[], [OTHER_KEY]], ids=["without keys", "with another"])
def test_what_an_edit_does_not_name_need_not_be_readable(
    tickerq: TickerQ,
    app: Callable[..., AbstractContextManager[TickerQ]],
    clock: ManualClock,
    keys: list[str],
) -> None:
    later = clock.now().replace(year=2040)
    run = tickerq.time_tickers.add(
        TimeTicker(function="Far", execution_time=later, request=REQUEST), allow_unknown=True
    )
    child = TimeTicker(function="Far", request=REQUEST)
    cron = tickerq.cron_tickers.add(
        CronTicker(function="Far", expression="0 * * * *", request=REQUEST, children=[child]),
        allow_unknown=True,
    )
    with app(encryption_keys=keys) as other:
        assert other.time_tickers.update(run.id, description="far", allow_unknown=True).description == "far"
        assert other.time_tickers.run_now(run.id).execution_time == clock.now()
        copied = other.time_tickers.clone(run.id, request=[1], allow_unknown=True)
        assert copied.request == [1]
        assert not other.cron_tickers.update(cron.id, is_enabled=False, allow_unknown=True).is_enabled
        occurrence = other.cron_tickers.run_now(cron.id)
        for verb in (other.runs.cancel, other.runs.retry):
            verb(run.id)
        for read in (
            lambda: other.time_tickers.clone(run.id, allow_unknown=True),
            lambda: other.time_tickers.update(run.id, function="Near", allow_unknown=True),
            lambda: other.cron_tickers.update(cron.id, function="Near", allow_unknown=True),
            lambda: other.cron_tickers.get(cron.id).children,
        ):
            with pytest.raises(UnreadableRequestError):
                read()
        renamed = {"function": "Near", "request": [2], "allow_unknown": True}
        assert other.time_tickers.update(copied.id, **renamed).request == [2]
    assert tickerq.runs.get(run.id).request == tickerq.runs.get(occurrence.id).request == REQUEST
    kept = tickerq.cron_tickers.get(cron.id)
    assert (kept.request, [each.request for each in kept.children]) == (REQUEST, [REQUEST])


def test_an_occurrence_keeps_the_request_as_its_cron_ticker_does(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    tickerq.function("Body")(lambda context: None)
    enrol_worker(tickerq)
    cron = tickerq.cron_tickers.add(CronTicker(function="Body", expression="* * * * *", request=[1]))
    clock.advance(minutes=1)
    fire_crons(tickerq)
    tickerq.cron_tickers.update(cron.id, request=REQUEST)
    (run,) = tickerq.cron_tickers.occurrences(cron.id)
    assert (run.request, row_of(tickerq, run.id).encoding) == (REQUEST, BOTH)
    assert tickerq.cron_tickers.get(cron.id).request == REQUEST


def test_the_requests_of_a_cron_tickers_chain_are_packed_too(tickerq: TickerQ) -> None:
    chain = [TimeTicker(function="Far", request=REQUEST)]
    cron = tickerq.cron_tickers.add(
        CronTicker(function="Far", expression="* * * * *", children=chain), allow_unknown=True
    )
    (entry,) = cron.chain or ()
    assert entry["encoding"] == BOTH
    assert [child.request for child in cron.children] == [REQUEST]


def test_a_worker_without_the_key_fails_the_attempt_and_says_so(
    tickerq: TickerQ, app: Callable[..., AbstractContextManager[TickerQ]], clock: ManualClock
) -> None:
    run = add_run(tickerq, _body, request=REQUEST, execution_time=clock.now() + timedelta(minutes=1))
    clock.advance(minutes=1)
    with app(encryption_keys=[OTHER_KEY]) as other:
        other.function("Body")(_body)
        dispatch_due(other)
        execute(other)
        ended = other.runs.get(run.id)
        assert (ended.status, ended.exception_type) == (
            TickerStatus.FAILED, "tickerq_celery.errors.UnreadableRequestError",
        )  # fmt: skip
        with pytest.raises(UnreadableRequestError, match="none of the"):
            ended.request  # noqa: B018


def _body(context: TickerContext[Any]) -> None:
    """Need the request."""


def test_the_example_of_the_documentation_prints_what_it_says(
    store_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "payloads.md").read_text()
    code = text.partition("```python\n")[2].partition("```")[0]
    monkeypatch.setenv("STORE_URL", store_url)
    monkeypatch.setenv("TICKER_KEYS", f"{KEY},{OTHER_KEY}")
    names: dict[str, Any] = {}
    exec(code, names)
    names["tickerq"].time_tickers.delete(names["run"].id)
    names["tickerq"].close()
    assert capsys.readouterr().out == "4111 •••\n"
