"""What a word that was typed into "Find" leads to."""

from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.dashboard.conftest import BASE, Visitor
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import NOW, Seeds
from tests.inner import make_function
from tests.integration.apps import join
from tests.statements import functions, lost_nodes
from tests.tables import nodes
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind, TickerKind
from tickerq_celery.functions.records import function_records
from tickerq_dashboard.search import FOUND

TYPE = "billing.gateway.GatewayTimeout"


def leads_to(visitor: Visitor, typed: str, **query: str) -> str:
    response = visitor.get(f"/find?q={typed}")
    assert response.status_code == 302, text_of(response.text)
    return unescape(response.headers["Location"]).removeprefix(BASE)


def panel(page: str, key: str) -> str:
    """A kind of what was found, in words."""
    return text_in(page.partition(f'id="{key}-title"')[2].partition("</section>")[0])


@pytest.mark.parametrize("digits", [8, 12, 18, 32])
def test_the_first_digits_of_an_id_lead_to_its_run(visitor: Visitor, seeds: Seeds, digits: int) -> None:
    run_id = seeds.run()
    seeds.run(id=UUID("7" * 32))
    for typed in (run_id.hex[:digits], str(run_id)[: digits + 1].upper()):
        assert leads_to(visitor, typed) == f"/runs/{run_id}"
    assert leads_to(visitor, run_id.hex[:7]) == f"/runs?function_prefix={run_id.hex[:7]}"
    listed = visitor.get(f"/runs?q={run_id.hex[:8]}").headers["Location"]
    assert listed == f"{BASE}/find?q={run_id.hex[:8]}"


def test_runs_whose_ids_begin_alike_are_shown_to_choose_from(visitor: Visitor, seeds: Seeds) -> None:
    ids = [UUID(f"01a21851-b870-7145-b709-{number:012}") for number in range(12)]
    for each in ids:
        seeds.run(id=each, status=TickerStatus.DONE)
    page = visitor.get("/find?q=01a21851-b8").text
    assert [f'href="{BASE}/runs/{each}"' in page for each in ids] == [True] * 10 + [False] * 2


def test_a_whole_id_leads_to_the_run_or_the_cron_ticker(visitor: Visitor, seeds: Seeds) -> None:
    run_id, cron_id = seeds.run(), seeds.cron()
    assert leads_to(visitor, str(run_id)) == f"/runs/{run_id}"
    assert leads_to(visitor, str(cron_id)) == f"/crons/{cron_id}"


@pytest.mark.parametrize(
    ("typed", "to"),
    [
        ("status:failed tag:eu", "/runs?q=status:failed+tag:eu"),
        ("nobody", "/runs?function_prefix=nobody"),
    ],
)
def test_filters_and_what_names_nothing_lead_to_the_runs(visitor: Visitor, typed: str, to: str) -> None:
    assert leads_to(visitor, typed) == to


def test_a_name_finds_cron_tickers_errors_and_nodes(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(function="gateway.Poll", description="Ask the bank", is_enabled=False)
    join(seeds.tickerq, NodeKind.WORKER)
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.update().values(name="celery@gateway-7")))
    at = datetime.now(UTC) - timedelta(minutes=5)
    failed = {"status": TickerStatus.FAILED, "exception_type": TYPE, "ended_at": at}
    for _ in range(2):
        seeds.run(function="Charge", **failed)
    page = visitor.get("/find?q=gateway").text
    assert "gateway. Poll" in panel(page, "functions")
    assert f'href="{BASE}/crons/{cron_id}"' in page
    assert "paused Ask the bank" in panel(page, "crons")
    assert "2 failures" in panel(page, "errors")
    assert "celery@gateway-7 worker" in panel(page, "nodes")
    only = f"/runs?status=failed&error_type={TYPE}"
    assert leads_to(visitor, "billing.gateway") == only
    assert leads_to(visitor, "GatewayT") == only
    [node] = seeds.tickerq.nodes.find()
    assert leads_to(visitor, "gateway-7") == f"/nodes#n{node.id}"


def test_a_name_has_all_of_several_words(visitor: Visitor, seeds: Seeds) -> None:
    join(seeds.tickerq, NodeKind.WORKER)
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.update().values(name="celery@gateway-7")))
    at = datetime.now(UTC) - timedelta(minutes=5)
    for name in ("gateway.poll_bank", "gateway.poll_post", "bank.a_gateway"):
        seeds.cron(function=name)
        seeds.run(function=name, status=TickerStatus.FAILED, ended_at=at, exception_type=f"{name}Error")
    page = visitor.get("/find?q=gateway Bank").text
    for each in ("functions", "crons"):
        shown = panel(page, each)
        assert shown.index("gateway. poll_bank") < shown.index("bank. a_gateway")
    assert "gateway.poll_bankError" in panel(page, "errors")
    assert "poll_post" not in page
    assert "All runs of functions that begin with it" not in page
    assert f'href="{BASE}/runs?status=failed&amp;error=gateway+Bank">Failures whose message has' in page
    [node] = seeds.tickerq.nodes.find()
    assert leads_to(visitor, "celery way-7") == f"/nodes#n{node.id}"


def test_a_part_of_a_name_in_any_case_leads_to_the_function_or_the_cron_ticker(
    visitor: Visitor, seeds: Seeds
) -> None:
    registered = function_records([make_function(lambda context: None, "shop.SendReceipt")])
    seeds.tickerq.core.write(functions.register, list(registered))
    for typed in ("sendrec", "RECEIPT", "shop.sendreceipt"):
        assert leads_to(visitor, typed) == "/functions/shop.SendReceipt"
    cron_id = seeds.cron(function="shop.tasks.Recount", kind=TickerKind.CELERY_TASK.value)
    assert leads_to(visitor, "recount") == f"/crons/{cron_id}"
    seeds.cron(function="shop.SendSlip")
    page = visitor.get("/find?q=shop.s").text
    assert "shop. SendReceipt" in panel(page, "functions")
    assert "shop. SendSlip" in panel(page, "functions")
    assert "shop. SendSlip" in panel(page, "crons")
    assert f'href="{BASE}/runs?function=shop.SendReceipt">its runs</a>' in page
    assert "All runs of functions that begin with it" not in page
    assert "All runs of functions that begin with it" in visitor.get("/find?q=shop.S").text


def test_the_cron_tickers_of_one_name_hide_no_other_name(visitor: Visitor, seeds: Seeds) -> None:
    for number in range(30):
        seeds.cron(function="shop.job_00" if number < 20 else f"shop.job_{number:02}")
    assert "shop. job_29" in panel(visitor.get("/find?q=SHOP _29").text, "crons")


def test_the_cron_tickers_of_the_name_itself_come_first(visitor: Visitor, seeds: Seeds) -> None:
    for number in range(12):
        seeds.cron(function="a.resend", description=f"any part {number}")
    seeds.cron(function="Z.send", description="a part behind a dot")
    seeds.cron(function="SEND_ALL", description="it begins so")
    seeds.cron(function="send", description="the name itself")
    shown = panel(visitor.get("/find?q=send").text, "crons")
    nearest = ("the name itself", "it begins so", "a part behind a dot", "any part 0")
    assert sorted(nearest, key=shown.index) == list(nearest)
    assert shown.count("any part") == 7


@pytest.mark.parametrize(
    "typed",
    [
        "connection refused",
        "it can't be",
        "KeyError: 'name' of ' 3",
        "Error 111 connecting to redis://db:6379/0.",
    ],
)
def test_words_that_name_nothing_are_looked_for_in_what_failures_say(
    visitor: Visitor, seeds: Seeds, typed: str
) -> None:
    failed = {"function": "Charge", "status": TickerStatus.FAILED}
    seeds.run(**failed, exception_type="OSError", exception_message=f"oh: {typed} today")
    seeds.run(**failed, exception_type="OSError", exception_message="timed out")
    page = visitor.get(leads_to(visitor, quote(typed))).text
    assert (f"oh: {typed} today" in unescape(page), "timed out" in page) == (True, False)


@pytest.mark.parametrize("typed", ["colour:red", "big queue:mail"])
def test_a_filter_is_no_text_of_a_failure(visitor: Visitor, typed: str) -> None:
    assert leads_to(visitor, typed) == f"/runs?q={typed.replace(' ', '+')}"


def test_a_lost_node_is_found(visitor: Visitor, seeds: Seeds) -> None:
    node = join(seeds.tickerq, NodeKind.WORKER)
    named = nodes.update().values(name="celery@shop-3", seen_at=NOW)
    seeds.tickerq.core.write(lambda tx: tx.execute(named))
    seeds.tickerq.core.write(lost_nodes.record, node, found_by="beat-1")
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.delete()))
    assert leads_to(visitor, "shop-3") == f"/nodes#n{node}"
    assert f'<tr id="n{node}"' in visitor.get("/nodes").text


def test_the_help_says_what_can_be_typed(visitor: Visitor) -> None:
    for path in ("/help", "/find"):
        page = unescape(visitor.get(path).text)
        for typed, finds in FOUND.items():
            assert f"<div><dt>{typed}</dt><dd>{finds}</dd></div>" in page
