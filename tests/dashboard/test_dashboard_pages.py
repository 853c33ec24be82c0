"""What the pages show, and that they show nothing else."""

import re
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import BASE, LOGIN, PASSWORD, QUICK_HASH, Visitor, basic
from tests.dashboard.page_text import text_in, text_of
from tests.dashboard.seeds import NOW, Seeds, settle
from tests.inner import new_id
from tests.integration.apps import join
from tests.tables import nodes
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import HoldReason, NodeKind
from tickerq_celery.functions.retention import retention_of
from tickerq_celery.managers.outlook import OutlookManager
from tickerq_celery.views import Outlook
from tickerq_dashboard import create_app

WORDS = {
    TickerStatus.IDLE: ("Idle", "idle"),
    TickerStatus.QUEUED: ("Queued", "queued"),
    TickerStatus.IN_PROGRESS: ("In progress", "in-progress"),
    TickerStatus.DONE: ("Done", "done"),
    TickerStatus.DUE_DONE: ("Done late", "due-done"),
    TickerStatus.FAILED: ("Failed", "failed"),
    TickerStatus.CANCELLED: ("Cancelled", "cancelled"),
    TickerStatus.SKIPPED: ("Skipped", "skipped"),
}
UNENDED = {TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS}
OCCURRENCE = int(TickerType.CRON_TICKER_OCCURRENCE)


def functions_on(page: str) -> list[str]:
    """The functions of the rows of a list of runs, in their order."""
    return re.findall(r'<th scope="?row[^>]*>.*?<b>([^<]*)</b>', page)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/runs",
        "/runs/active",
        "/runs/upcoming",
        "/crons",
        "/upcoming",
        "/errors",
        "/functions",
        "/nodes",
        "/audit",
    ],
)
def test_an_empty_store_says_why_and_what_to_do(visitor: Visitor, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 200
    assert 'class="empty"' in response.text


@pytest.mark.parametrize("status", TickerStatus)
def test_every_status_has_a_word_and_a_sign(visitor: Visitor, seeds: Seeds, status: TickerStatus) -> None:
    waits = {"due_at": None, "running_on": None} if status is TickerStatus.IN_PROGRESS else {}
    run_id = seeds.run(function="Send", status=status, **waits)
    word, sign = WORDS[status]
    for path in ("/runs/upcoming" if status is TickerStatus.IDLE else "/runs", f"/runs/{run_id}"):
        if path == "/runs" and status in UNENDED:
            continue
        page = visitor.get(path).text
        assert re.search(rf'#s-{sign}"(?:></use>|/>)</svg>(?:<span class="word">|<b>)?{word}<', page), path


def test_times_name_their_zone_and_can_be_read_by_machines(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(status=TickerStatus.DONE, started_at=NOW, ended_at=NOW)
    page = visitor.get(f"/runs/{run_id}").text
    assert 'datetime="2026-11-24T21:05:00Z" title="2026-11-24 21:05:00 UTC"' in page
    berlin = visitor.get(f"/runs/{run_id}?zone=Europe/Berlin").text
    assert 'datetime="2026-11-24T21:05:00Z" title="2026-11-24 22:05:00 CET"' in berlin
    assert "UTC" in text_of(visitor.get(f"/runs/{run_id}?zone=Nowhere/None").text)


def test_a_reader_s_cookies_choose_the_zone_and_the_theme(client: FlaskClient, visitor: Visitor) -> None:
    client.set_cookie("tq_zone", "America%2FNew_York")
    client.set_cookie("tq_theme", "dark")
    chosen = visitor.get("/").text
    assert "<span>America/New_York</span>" in chosen
    assert re.findall(r'value="(\w+)" class="theme-\w+" checked', chosen) == ["dark"]
    assert "Set-Cookie" not in visitor.get("/?zone=Europe/Berlin").headers


def test_an_ended_run_says_until_when_it_is_kept(visitor: Visitor, seeds: Seeds) -> None:
    object.__setattr__(seeds.tickerq.config, "retention", retention_of({"failed": None}))

    def kept(run_id: UUID) -> str:
        page = visitor.get(f"/runs/{run_id}").text
        return page.partition("<dt>Kept</dt>")[2].partition("</dd>")[0]

    head = seeds.run(status=TickerStatus.DONE, has_children=True)
    seeds.run(status=TickerStatus.DONE, parent_id=head, root_id=head)
    thirty_days = f'datetime="{NOW + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"'
    alone = kept(seeds.run(status=TickerStatus.DONE))
    assert thirty_days in alone
    assert "chain" not in alone
    assert "with its chain, at least until" in kept(head)
    assert kept(seeds.run(status=TickerStatus.FAILED)).endswith("for ever")
    assert kept(seeds.run()) == ""


def test_a_run_shows_each_attempt_with_its_error_and_traceback(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(
        description="Welcome email for user@example.com",
        status=TickerStatus.FAILED,
        retry_count=2,
        started_at=NOW,
        exception_type="SMTPServerDisconnected",
        exception_message="refused",
        request=b'{"email":"user@example.com","ids":[12345678901234567890]}',
    )
    frame = '  File "/srv/app/mail.py", line 12, in send\n    server.quit()\n'
    trace = f"Traceback (most recent call last):\n{frame}X: y"
    for number, error in enumerate(("refused", "refused", "gone")):
        seeds.attempt(
            run_id,
            number=number,
            exception_type="SMTPServerDisconnected",
            exception_message=error,
            traceback=trace,
            started_at=NOW + timedelta(minutes=number),
            ended_at=NOW + timedelta(minutes=number, seconds=1.5),
        )
    html = visitor.get(f"/runs/{run_id}").text
    page = text_of(html)
    assert "Welcome email for user@example.com" in page
    assert "1 SMTPServerDisconnected ran 1.5 s 2 same error ran 1.5 s 3 SMTPServerDisconnected" in page
    assert "app/mail.py:12 send server.quit()" in page
    assert html.count('aria-label="Traceback of attempt') == 3
    assert 'email: <span class="str">&#34;user@example.com&#34;</span>' in html
    assert '<span class="num">12345678901234567890</span>' in html
    assert "Retries 2 of 3 used" in page


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (None, "called without a payload"),
        (b"null", "null"),
        (b"0", "0"),
        (b'""', '""'),
        (b"\xff\x00not json", "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
        (b"9" * 10_000, "cannot be read as JSON"),
        (b'"' + b"a" * 500_000 + b'"', "500,002 bytes"),
        (b"[" + b"1," * 40_000 + b"1]", "more"),
        (b'"\\ud800"', "\\ud800"),
    ],
)
def test_any_request_can_be_shown(visitor: Visitor, seeds: Seeds, stored: bytes | None, shown: str) -> None:
    response = visitor.get(f"/runs/{seeds.run(request=stored)}")
    assert response.status_code == 200
    assert shown in text_of(response.text)
    assert len(response.data) < 130_000


def test_a_request_without_its_key_is_said_to_be_unreadable(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(request=b"what only a key opens", encoding=2)
    assert (
        "it is encrypted, and this process has no tickerq_encryption_keys"
        in visitor.get(f"/runs/{run_id}").text
    )


def test_a_run_that_waits_says_why_and_who_changes_it(visitor: Visitor, seeds: Seeds) -> None:
    seeds.tickerq.pauses.pause(
        function="Send", reason="<b>mail</b> server moves", by="ann", allow_unknown=True
    )
    run_id = seeds.run(function="Send", held_for="paused", hold_key="function:Send")
    html = visitor.get(f"/runs/{run_id}").text
    page = text_of(html)
    assert "Why does it not run?" in page
    assert "Waits for the end of the pause of function Send by ann" in page
    # Once.
    assert html.count("by ann: &lt;b&gt;mail&lt;/b&gt; server moves.") == page.count("is paused") == 1
    assert "To change it: <code>tickerq resume --function Send</code>, or <code>pauses.resume(" in html
    assert "No worker is alive." in page


@pytest.mark.parametrize("status", [TickerStatus.DONE, TickerStatus.FAILED, TickerStatus.SKIPPED])
def test_a_run_that_has_ended_does_not_wait(visitor: Visitor, seeds: Seeds, status: TickerStatus) -> None:
    assert "Why does it not run" not in visitor.get(f"/runs/{seeds.run(status=status)}").text


def test_a_run_shows_its_cron_ticker_and_its_chain(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron()
    occurrence = seeds.run(type=OCCURRENCE, cron_ticker_id=cron_id)
    assert f'href="{BASE}/crons/{cron_id}"' in visitor.get(f"/runs/{occurrence}").text
    head = seeds.run(function="Import", status=TickerStatus.FAILED, has_children=True)
    below = {"parent_id": head, "root_id": head, "execution_time": None, "due_at": None}
    skipped = seeds.run(function="Receipt", status=TickerStatus.SKIPPED, run_condition=0, **below)
    alarm = seeds.run(function="Alarm", status=TickerStatus.DONE, run_condition=1, **below)
    page = visitor.get(f"/runs/{alarm}").text
    tree = page.partition('class="tree"')[2]
    assert [f'href="{BASE}/runs/{each}"' in tree for each in (head, skipped, alarm)] == [True] * 3
    shown = text_of(page)
    assert "Skipped · runs on success" in shown
    assert "Done · runs on failure, this run" in shown


def test_an_error_is_listed_by_its_own_name_first(visitor: Visitor, seeds: Seeds) -> None:
    run = seeds.run(
        status=TickerStatus.FAILED,
        ended_at=datetime.now(UTC),
        exception_type="sqlalchemy.exc.OperationalError",
        exception_message="timeout",
    )
    assert "<p><b>OperationalError</b>: timeout" in visitor.get("/runs").text
    assert "<i>sqlalchemy.exc.</i><b>OperationalError</b>" in visitor.get("/errors").text
    assert "sqlalchemy.exc.OperationalError" in text_of(visitor.get(f"/runs/{run}").text)


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_of_a_hold_has_words(visitor: Visitor, seeds: Seeds, reason: HoldReason) -> None:
    seeds.run(held_for=reason.value, held_since=NOW)
    note = re.search(r"<td><p>([^<]+)</tbody>", visitor.get("/runs/active").text)
    assert note is not None
    assert note[1].strip()[0].isupper()


@pytest.mark.parametrize("status", [TickerStatus.DONE, TickerStatus.DUE_DONE])
def test_a_celery_task_that_was_published_never_looks_like_a_success(
    visitor: Visitor, seeds: Seeds, status: TickerStatus
) -> None:
    cron_id = seeds.cron(kind="celery_task")
    run_id = seeds.run(
        function="shop.refresh", status=status, cron_ticker_id=cron_id, kind="celery_task", type=OCCURRENCE
    )
    for path in ("/runs", f"/runs/{run_id}", f"/crons/{cron_id}"):
        content = visitor.get(path).text.partition("<main")[2]
        assert "#s-published" in content, path
        assert "#s-done" not in content
        assert "#s-due-done" not in content
    assert "is in Celery's results" in text_of(visitor.get(f"/runs/{run_id}").text)


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({}, "no worker has reported yet that it runs"),
        ({"started_at": NOW, "retry_count": 1}, "Celery retries it"),
    ],
)
def test_a_celery_task_that_waits_for_a_worker_s_report_is_published(
    visitor: Visitor, seeds: Seeds, columns: dict[str, object], shown: str
) -> None:
    at_the_broker = {"status": TickerStatus.QUEUED, "due_at": None, "published_at": NOW}
    run_id = seeds.run(kind="celery_task", **at_the_broker, **columns)
    for path in ("/runs/active", f"/runs/{run_id}"):
        page = visitor.get(path).text
        assert "#s-published" in page
        assert "#s-queued" not in page
    assert shown in text_of(visitor.get(f"/runs/{run_id}").text)


def test_a_call_of_a_celery_task_shows_celery_s_retries_and_none_of_a_function_s_options(
    visitor: Visitor, seeds: Seeds
) -> None:
    run_id = seeds.run(
        kind="celery_task", status=TickerStatus.FAILED, started_at=NOW, retry_count=1, on_lost="retry",
        task_id="an id of Celery's", request=b'{"args":[2,3]}',
    )  # fmt: skip
    seeds.attempt(run_id, exception_type="Retry", exception_message="in 60 s")
    seeds.attempt(run_id, claim_no=1, retries=1, number=1)
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    assert "Task id an id of Celery's" in page
    assert "If its worker dies it starts again" in page
    assert "Retries counted by Celery" in page
    assert "Waits between" not in page
    assert "Attempt 2 Celery's retry 1" in page


def test_published_runs_are_filtered_apart_from_those_that_succeeded(visitor: Visitor, seeds: Seeds) -> None:
    for function, kind in (("Ours", "function"), ("Call", "celery_task")):
        for status in (TickerStatus.DONE, TickerStatus.DUE_DONE, TickerStatus.FAILED):
            seeds.run(function=function, kind=kind, status=status)
    seeds.run(function="Followed", kind="celery_task", status=TickerStatus.DONE, started_at=NOW)

    def functions(slug: str) -> list[str]:
        return sorted(functions_on(visitor.get(f"/runs?status={slug}").text))

    assert functions("published") == ["Call", "Call"]
    assert functions("done") == ["Followed", "Ours"]
    assert functions("done,due-done") == ["Followed", "Ours", "Ours"]
    assert functions("due-done") == ["Ours"]
    assert functions("failed") == ["Call", "Ours"]


def test_figures_of_what_succeeded_leave_out_what_was_only_published(visitor: Visitor, seeds: Seeds) -> None:
    at = datetime.now(UTC) - timedelta(minutes=1)
    for started_at in (at, None, None):
        seeds.run(
            function="shop.refresh", kind="celery_task", status=TickerStatus.DONE,
            started_at=started_at, ended_at=at,
        )  # fmt: skip
    page = text_of(visitor.get("/").text)
    assert "below the line: not done, own scale" in page
    assert "Done 1 in 24 h Success 100 % of what succeeded or failed" in page
    assert "Done 1 Published 2 Failed 0" in page


def test_the_history_comes_by_its_end_and_not_by_its_making(visitor: Visitor, seeds: Seeds) -> None:
    first = seeds.run(function="MadeFirst", status=TickerStatus.FAILED, ended_at=NOW + timedelta(hours=1))
    seeds.run(function="MadeLast", status=TickerStatus.FAILED, ended_at=NOW)
    page = visitor.get("/runs?status=failed").text
    assert functions_on(page) == ["MadeFirst", "MadeLast"]
    assert f'href="runs/{first}"' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Alpha", "Alpha", "Beta", "Digest"]),
        ("function=Alpha", ["Alpha", "Alpha"]),
        ("function=&status=failed&type=", ["Alpha", "Beta"]),
        ("status=failed&status=done", ["Alpha", "Alpha", "Beta", "Digest"]),
        ("type=cron", ["Digest"]),
        ("function=Alpha&status=failed&type=time", ["Alpha"]),
        ("function_prefix=Al", ["Alpha", "Alpha"]),
        ("tag=eu", ["Beta"]),
        ("queue=slow", ["Beta"]),
        ("error_type=KeyError", ["Beta"]),
        ("error=vat", ["Beta"]),
        ("node=w1", ["Beta"]),
        ("is_late=1", ["Alpha"]),
        ("ended_from=2026-11-24T21:30:00Z", ["Digest"]),
        ("ended_until=2026-11-24T21:30:00Z", ["Alpha", "Alpha", "Beta"]),
        ("function=Alph", []),
        ("function=Alp%25", []),
    ],
)
def test_runs_are_filtered(visitor: Visitor, seeds: Seeds, query: str, found: list[str]) -> None:
    cron_id = seeds.cron(function="Digest")
    seeds.run(function="Alpha", status=TickerStatus.FAILED)
    seeds.run(function="Alpha", status=TickerStatus.DONE, is_late=True)
    seeds.run(
        function="Beta", status=TickerStatus.FAILED, tags=["eu"], queue="slow", exception_type="KeyError",
        exception_message="'vat_id'", ended_on="w1",
    )  # fmt: skip
    seeds.run(
        function="Digest", status=TickerStatus.DONE, type=OCCURRENCE, cron_ticker_id=cron_id,
        ended_at=NOW + timedelta(hours=1),
    )  # fmt: skip
    page = visitor.get(f"/runs?{query}").text
    assert sorted(functions_on(page)) == found
    if not found:
        assert "Nothing matches function" in text_of(page)


def test_a_list_that_finds_nothing_says_what_the_others_have(visitor: Visitor, seeds: Seeds) -> None:
    seeds.run(function="shop.Send", held_for="limit", hold_key="shop.Send", held_since=NOW)
    for _ in range(2):
        seeds.run(function="shop.Send")
    html = visitor.get("/runs?function_prefix=shop.").text
    said = "Nothing matches function begins shop. in History. Now has 1 run , Upcoming has 2 runs"
    assert said in text_of(html)
    for name in ("active", "upcoming"):
        assert f'href="{BASE}/runs/{name}?function_prefix=shop."' in html
    assert "Upcoming has none, History has none" in text_of(
        visitor.get("/runs/active?function_prefix=mail.").text
    )
    assert "has none" not in visitor.get("/runs/active?function_prefix=shop.").text


def test_a_list_without_failed_runs_says_where_those_are_that_were_retried(
    visitor: Visitor, seeds: Seeds
) -> None:
    said = "A run that failed and was retried since is listed with the status that it has now."
    seeds.run(status=TickerStatus.DONE, function="Mail")
    assert said in text_of(visitor.get("/runs?status=failed&function=Mail").text)
    assert said not in text_of(visitor.get("/runs?status=cancelled&function=Mail").text)


def test_the_form_of_filters_offers_why_a_run_is_held(visitor: Visitor, seeds: Seeds) -> None:
    page = visitor.get("/runs/active?held_for=limit").text
    offered = page.partition('<select class="select" name="held_for">')[2].partition("</select>")[0]
    assert re.findall(r">([a-z]+)<", offered) == list(HoldReason)
    assert "<option selected>limit" in offered
    assert 'type="hidden" name="held_for"' not in page.partition('<details class="more">')[2]
    assert '<select class="select" name="held_for">' not in visitor.get("/runs").text


def test_a_chip_drops_its_filter_and_keeps_the_others(visitor: Visitor, seeds: Seeds) -> None:
    page = visitor.get("/runs?status=failed,done&tag=eu").text
    chips = dict(re.findall(r'<b>([^<]*)</b><a href="([^"]*)"', page))
    assert {name: unescape(address) for name, address in chips.items()} == {
        "Failed, Done": f"{BASE}/runs?tag=eu",
        "eu": f"{BASE}/runs?status=failed,done",
    }


@pytest.mark.parametrize(
    ("q", "leads_to"),
    [
        ("status:failed tag:eu", "/runs?status=failed&tag=eu"),
        ("shop.", "/runs?function_prefix=shop."),
        ('error:"timed out" shop.', "/runs?error=timed+out&function_prefix=shop."),
        ("01a21851-b870-7145-b709-e9a3c2359e6e", "/runs/01a21851-b870-7145-b709-e9a3c2359e6e"),
    ],
)
def test_the_search_box_leads_to_a_run_or_sets_filters(visitor: Visitor, q: str, leads_to: str) -> None:
    response = visitor.get(f"/runs?q={q}")
    assert response.status_code == 302
    assert response.headers["Location"] == BASE + leads_to


@pytest.mark.parametrize(
    ("q", "is_findable"), [("colour:red", False), ("two words", True), ('error:"open', False)]
)
@pytest.mark.parametrize("path", ["/runs", "/runs/active", "/runs/upcoming"])
def test_a_search_that_means_nothing_says_what_does_and_lists_no_run(
    visitor: Visitor, seeds: Seeds, path: str, q: str, *, is_findable: bool
) -> None:
    seeds.run(status=TickerStatus.DONE)
    seeds.run()
    response = visitor.get(f"{path}?q={q}&tag=eu")
    assert response.status_code == 422
    assert 'id="complaint"' in response.text
    assert "SendWelcomeEmail" not in response.text
    assert "Nothing was searched. One word begins the name of a function." in text_of(response.text)
    assert ("Find “two words” everywhere" in response.text) is is_findable
    assert (f'href="{BASE}/find?q=two+words"' in response.text) is is_findable
    assert f'href="{BASE}{path}?tag=eu">Drop the search' in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/runs?status=lost",
        "/runs?status=5",
        "/runs?status=published,done",
        "/runs?type=both",
        "/runs?held_for=hands",
        "/runs?ended_from=yesterday",
        "/runs?function=" + "a" * 201,
        "/runs?function=a%00b",
        "/runs?cursor=nonsense",
        "/runs?cursor=%00",
        "/runs?cursor=" + "9" * 5000,
        "/runs?cursor=%F0%9F%92%A5",
        "/runs?cursor=%ED%A0%80",
        "/crons?cursor=nonsense",
        "/audit?cursor=nonsense",
        "/?window=3h",
        "/upcoming?hours=1000",
    ],
)
def test_a_filter_or_page_mark_that_means_nothing_is_a_bad_request(visitor: Visitor, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 400
    assert 'href="/tickerq/dashboard/runs"' in response.text


def test_a_cursor_is_good_for_its_own_list_only(seeds: Seeds) -> None:
    client = create_app(seeds.tickerq, users={"admin": QUICK_HASH}, page_size=1).test_client()
    for _ in range(2):
        seeds.run(status=TickerStatus.FAILED)
    page = client.get(f"{BASE}/runs?status=failed", headers=LOGIN).text
    older = re.search(r'rel="next" href="[^"]*cursor=([^"&]+)', page)
    assert older is not None
    answers = [
        client.get(f"{BASE}/runs?{each}&cursor={older[1]}", headers=LOGIN)
        for each in ("status=failed", "status=done")
    ]
    assert [each.status_code for each in answers] == [200, 400]
    # Not the last character, of which not all bits count.
    other = "B" if older[1].startswith("A") else "A"
    forged = client.get(f"{BASE}/runs?status=failed&cursor={other}{older[1][1:]}", headers=LOGIN)
    assert forged.status_code == 400


@pytest.mark.parametrize("kind", ["runs", "crons", "occurrences"])
def test_a_list_is_paged_both_ways_without_gaps_or_repeats(seeds: Seeds, kind: str) -> None:
    client = create_app(seeds.tickerq, users={"admin": QUICK_HASH}, page_size=3).test_client()
    cron_id = seeds.cron(function="Digest", next_run_at=NOW)
    made = [
        seeds.cron(function="Alpha", next_run_at=NOW + timedelta(hours=number))
        if kind == "crons"
        else seeds.run(
            function="Alpha",
            status=TickerStatus.DONE,
            ended_at=NOW - timedelta(hours=number),
            type=OCCURRENCE,
            cron_ticker_id=cron_id,
        )
        for number in range(1, 8)
    ]
    expected = [*([str(cron_id)] if kind == "crons" else []), *map(str, made)]
    start = {"runs": "/runs?function=Alpha", "crons": "/crons", "occurrences": f"/crons/{cron_id}"}[kind]

    def walk(address: str, rel: str) -> tuple[list[list[str]], str]:
        pages, last = [], address
        while address:
            page, last = client.get(address, headers=LOGIN).text, address
            pages.append(re.findall(r'<th scope="?row[^>]*>.*?href="[^"]*?([0-9a-f-]{36})"', page))
            link = re.search(rf'rel="{rel}" href="([^"]+)"', page)
            address = unescape(link[1]) if link else ""
        return pages, last

    forward, end = walk(BASE + start, "next")
    backward, _ = walk(end, "prev")
    assert [each for page in forward for each in page] == expected
    assert [each for page in reversed(backward) for each in page] == expected
    assert len(forward) == 3


def test_the_overview_counts_links_and_charts_what_ended(visitor: Visitor, seeds: Seeds) -> None:
    now = datetime.now(UTC)
    for number in range(3):
        seeds.run(
            function=f"shop.Failed{number % 2}", status=TickerStatus.FAILED,
            ended_at=now - timedelta(microseconds=number), exception_type="KeyError",
            exception_message="boom", started_at=now, elapsed=timedelta(seconds=1),
        )  # fmt: skip
    seeds.run(
        status=TickerStatus.DONE,
        ended_at=now,
        started_at=now,
        execution_time=now,
        elapsed=timedelta(seconds=1),
    )
    seeds.run(status=TickerStatus.IN_PROGRESS)
    seeds.run(execution_time=now - timedelta(minutes=26))
    seeds.cron(function="Later", next_run_at=now + timedelta(hours=2))
    html = visitor.get("/").text
    page = text_of(html)
    assert "In progress 1" in page
    assert "Due now 1 oldest 26 min" in page
    assert "Failed 3 in 24 h" in page
    assert "Success 25 %" in page
    assert html.count("#s-failed") >= 1
    assert "Errors 1 kind, 3 failures in 24 h" in page
    assert "Error Function By hour Failed Last KeyError shop. Failed0 +1 3 failed" in page
    assert 'class="new"' not in html
    assert len(re.findall(r'class="tile[ "]', html)) == 6
    assert "1 done, 3 failed" in html
    assert "Later" in page
    failed = re.search(r'class="tile st-failed" href="([^"]+)"', html)
    assert failed is not None
    linked = visitor.get(unescape(failed[1]).removeprefix(BASE)).text
    assert len(functions_on(linked)) == 3
    errors = text_of(visitor.get("/errors").text)
    assert " 2 kinds failed since" in errors
    assert "Failures First Last" in errors


def test_the_overview_says_how_many_runs_are_held_and_leads_to_them(visitor: Visitor, seeds: Seeds) -> None:
    seeds.run(execution_time=NOW.replace(year=2099))
    assert "Due now 0 1 scheduled In progress" in text_of(visitor.get("/").text)
    for reason in (HoldReason.PAUSED, HoldReason.KEY, HoldReason.PARENT):
        seeds.run(function=f"Held{reason}", held_for=reason.value, hold_key="k", held_since=NOW)
    visitor.get("/?did=1b4e28ba-2fa1-11d2-883f-0016d3cca427")
    page = visitor.get("/").text
    assert "Due now 0 1 scheduled, 3 held In progress" in text_of(page)
    there = re.search(r'<a href="([^"]+)">3 held</a>', page)
    assert there is not None
    listed = visitor.get(unescape(there[1]).removeprefix(BASE)).text
    assert len(functions_on(listed)) == 3


@pytest.mark.parametrize(
    ("late", "said"),
    [
        ((240, 60), "2 cron tickers overdue for 4 min In progress"),
        ((240,), "1 cron ticker overdue for 4 min In progress"),
        ((10,), "0 scheduled In progress"),
    ],
)
def test_the_overview_says_beside_what_is_due_how_many_cron_tickers_no_beat_fires(
    visitor: Visitor, seeds: Seeds, late: tuple[int, ...], said: str
) -> None:
    now = datetime.now(UTC)
    for seconds in late:
        seeds.cron(next_run_at=now - timedelta(seconds=seconds))
    seeds.cron(next_run_at=now + timedelta(hours=1))
    page = visitor.get("/").text
    assert said in re.sub(r"4 min \d+ s", "4 min", text_of(page).partition("Due now 0 ")[2])
    assert (f'<a href="{BASE}/crons">{len(late)} cron' in page) == ("overdue" in said)


def test_the_overview_counts_the_slots_that_live_workers_have_taken(visitor: Visitor, seeds: Seeds) -> None:
    there = join(seeds.tickerq, NodeKind.WORKER, concurrency=2)
    seeds.run(status=TickerStatus.IN_PROGRESS, running_on=there)
    # On a worker that is gone, where it takes up no slot.
    seeds.run(status=TickerStatus.IN_PROGRESS)
    assert "In progress 2 1 of 2 slots, 0 queued" in text_of(visitor.get("/").text)


def test_the_overview_knows_the_next_of_many_and_what_holds_them(visitor: Visitor, seeds: Seeds) -> None:
    for _ in range(101):
        seeds.cron(next_run_at=datetime.now(UTC) + timedelta(hours=1))
    due = seeds.run(function="Mail", execution_time=NOW - timedelta(hours=1), tags=["eu"])
    seeds.tickerq.pauses.pause(tag="eu", reason="release", by="ann")
    upcoming = visitor.get("/").text.partition('class="next"')[2].partition("</ol>")[0]
    found = re.findall(r'href="[^"]*/(runs|crons)/([0-9a-f-]{36})"', upcoming)
    assert found[0] == ("runs", str(due))
    # With one more for each warning less, as the first screen has room.
    assert len(found) == 5
    assert 'title="held: tag eu is paused by ann: release"' in upcoming


@pytest.mark.parametrize("path", ["/", "/upcoming"])
def test_what_could_not_be_computed_in_time_is_not_said_to_be_nothing(
    visitor: Visitor, seeds: Seeds, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    seeds.cron(next_run_at=datetime.now(UTC) + timedelta(hours=1))
    whole, least = OutlookManager.upcoming, timedelta(microseconds=1)

    def page_of_nothing(manager: OutlookManager, until: datetime, **_: Any) -> Outlook:
        return whole(manager, until, budget=least)

    monkeypatch.setattr(OutlookManager, "upcoming", partialmethod(whole, budget=least))
    monkeypatch.setattr(OutlookManager, "by_first_start", page_of_nothing)
    page = visitor.get(path).text
    assert "There was too much to compute at once" in page
    assert "Nothing runs" not in page
    assert "No runs yet" not in page


@pytest.mark.parametrize(
    ("day_or", "words"),
    [
        (False, "At 09:00, on day 13 of the month if it is a Friday"),
        (True, "At 09:00, on day 13 of the month or on Friday"),
    ],
)
def test_the_words_of_two_day_fields_are_those_that_fire(
    visitor: Visitor, seeds: Seeds, day_or: bool, words: str
) -> None:
    cron_id = seeds.cron(expression="0 9 13 * FRI", day_or=day_or)
    for path in ("/crons", f"/crons/{cron_id}"):
        assert words in text_of(visitor.get(path).text)


@pytest.mark.parametrize("day_or", [False, True])
def test_a_cron_ticker_shows_its_next_runs_as_beat_will_fire_them(
    visitor: Visitor, seeds: Seeds, day_or: bool
) -> None:
    expression = "0 0 9 1 * MON"
    expected = seeds.tickerq.cron_tickers.preview(
        expression, time_zone="Europe/Berlin", count=10, day_or=day_or
    )
    cron_id = seeds.cron(
        expression=expression, time_zone="Europe/Berlin", day_or=day_or, next_run_at=expected[0]
    )
    page = visitor.get(f"/crons/{cron_id}").text
    table = page.partition('class="rows instants')[2].partition("</table>")[0]
    assert re.findall(r'datetime="([^"]+)"', table) == [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in expected]
    assert "09:00 CET" in text_of(f"<main>{table}")
    assert "08:00 UTC" in text_of(f"<main>{table}")


def test_a_change_of_the_clocks_stands_in_the_row_that_it_touches(visitor: Visitor, seeds: Seeds) -> None:
    expected = seeds.tickerq.cron_tickers.preview("0 30 2 28 3 *", time_zone="Europe/Berlin", count=1)
    cron_id = seeds.cron(expression="0 30 2 28 3 *", time_zone="Europe/Berlin", next_run_at=expected[0])
    page = text_of(visitor.get(f"/crons/{cron_id}").text)
    assert "The clocks skip 02:00 to 03:00 on 2027-03-28: what falls into it runs once" in page


def test_a_cron_ticker_says_its_schedule_and_policies_in_words(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(
        expression="0 30 2 14 * *", overlap="skip", misfire="run_once", retries=3,
        misfire_grace=timedelta(hours=2), retry_intervals=[timedelta(seconds=30),
        timedelta(minutes=1)], pause_on_failure=3, queue="billing",
        timeout=timedelta(minutes=20),
    )  # fmt: skip
    page = text_of(visitor.get(f"/crons/{cron_id}").text)
    assert "At 02:30, on day 14 of the month, UTC time." in page
    for sentence in (
        "If the run before still runs, the new one is skipped.",
        "After an outage, the latest missed instant runs, if it is at most 2 h late.",
        "If a run fails, it is tried 3 more times: after 30 s, 1 min.",
        "After 3 failed runs in a row, it is paused.",
        "A run may take 20 min; then it is asked to end.",
        "Its runs start exactly on time, on the queue billing.",
    ):
        assert sentence in page


def test_a_cron_ticker_shows_how_it_has_done_lately(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(function="Digest", next_run_at=NOW)
    for number, status in enumerate((TickerStatus.DONE, TickerStatus.FAILED, TickerStatus.DONE)):
        ended = NOW - timedelta(hours=number)
        seeds.run(
            type=OCCURRENCE, cron_ticker_id=cron_id, status=status, ended_at=ended, execution_time=ended,
            origin="cron", started_at=ended, elapsed=timedelta(seconds=2),
        )  # fmt: skip
    for path in ("/crons", f"/crons/{cron_id}"):
        assert "<title>2 done, 1 failed</title>" in visitor.get(path).text
    assert "66 %" in text_of(visitor.get("/crons").text)
    assert "Last 3 ends" in text_of(visitor.get(f"/crons/{cron_id}").text)
    once = seeds.cron(function="Once", next_run_at=NOW)
    seeds.run(type=OCCURRENCE, cron_ticker_id=once, status=TickerStatus.DONE, origin="cron")
    assert "Last 1 end " in text_of(visitor.get(f"/crons/{once}").text)


def test_a_paused_cron_ticker_says_who_paused_it_and_why(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(is_enabled=False, paused_by="ann", paused_reason="maintenance", paused_at=NOW)
    page = text_of(visitor.get(f"/crons/{cron_id}").text)
    assert re.search(r"Paused by ann since .{0,20}21:05(:00)? UTC ?\. maintenance", page)
    assert "maintenance" in visitor.get("/crons").text


def test_a_paused_cron_ticker_shows_what_it_would_fire(visitor: Visitor, seeds: Seeds) -> None:
    alone = seeds.cron(is_enabled=False, paused_at=NOW, next_run_at=None, resume_from=NOW)
    tagged = seeds.cron(next_run_at=datetime.now(UTC) + timedelta(hours=1), tags=["eu"])
    assert "as beat will fire them" in visitor.get(f"/crons/{tagged}").text
    seeds.tickerq.pauses.pause(tag="eu")
    for cron_id in (alone, tagged):
        page = create_app(seeds.tickerq, users={"admin": QUICK_HASH}).test_client()
        html = page.get(f"{BASE}/crons/{cron_id}", headers=LOGIN).text
        assert "Would fire, if resumed" in html
        assert "as beat will fire them" not in html


def test_what_is_paused_counts_and_lists_cron_tickers_too(visitor: Visitor, seeds: Seeds) -> None:
    crons = [
        seeds.cron(function=name, is_enabled=False, paused_by="ann", paused_reason="a move", paused_at=NOW)
        for name in ("Digest", "Export")
    ]
    seeds.cron(function="Well")
    seeds.tickerq.pauses.pause(tag="eu")
    assert "Pauses (3)" in visitor.get("/functions").text
    html = visitor.get("/pauses").text
    page = text_of(html)
    assert "2 cron tickers paused on their own" in page
    assert "Digest 0 0 9 * * * is paused by ann since" in page
    assert [f'href="{BASE}/crons/{each}"' in html for each in crons] == [True] * 2
    assert "Well" not in page


def test_a_cron_ticker_says_whether_the_code_defines_it(visitor: Visitor, seeds: Seeds) -> None:
    added = seeds.cron(seed_key=None, seed_expression=None)
    assert "Defined in code" not in text_of(visitor.get(f"/crons/{added}").text)
    edited = seeds.cron(expression="0 0 6 * * *", seed_expression="0 0 5 * * *")
    seeded = text_of(visitor.get(f"/crons/{edited}").text)
    assert "Defined in code" in seeded
    assert "overridden: the code says 0 0 5 * * *" in seeded


def test_an_unreadable_expression_does_not_break_its_page(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(expression="nonsense")
    for path in ("/crons", f"/crons/{cron_id}"):
        assert visitor.get(path).status_code == 200
    assert "cannot read the expression" in visitor.get(f"/crons/{cron_id}").text


@pytest.mark.parametrize(
    ("expression", "day_or", "says"),
    [
        ("0 9 1 * MON", False, "only on days that match both"),
        ("0 9 1 * MON", True, "on days that match either"),
        ("0 9 */2 * MON", True, "as in Unix it fires only on days that match both"),
        ("0 9 * * MON", False, ""),
    ],
)
def test_two_day_fields_say_how_they_combine(
    visitor: Visitor, seeds: Seeds, expression: str, day_or: bool, says: str
) -> None:
    page = visitor.get(f"/crons/{seeds.cron(expression=expression, day_or=day_or)}").text
    assert (f"{says}<" in page) if says else ("both day fields" not in page)


def test_a_run_shows_its_progress_and_its_log_lines_each_in_its_row(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(
        status=TickerStatus.IN_PROGRESS, progress=0.999, progress_message="row <b> of 1000", claim_no=1
    )
    forged = "slow <b>\n2026-11-24 21:05:08 ERROR forged"
    seeds.log(run_id, [["2026-11-24T21:05:07+00:00", "WARNING", forged]])
    html = visitor.get(f"/runs/{run_id}").text
    page = text_of(html)
    assert "99 %" in page
    assert "row &lt;b&gt; of 1000" in html
    assert "21:05:07 #1 WARNING slow <b> ↵ 2026-11-24 21:05:08 ERROR forged" in page
    assert html.partition('class="log box"')[2].partition("</ol>")[0].count("<li>") == 1


def test_a_retry_to_come_stands_below_the_attempts_that_failed(visitor: Visitor, seeds: Seeds) -> None:
    coming = datetime.now(UTC) + timedelta(minutes=5)
    run_id = seeds.run(retry_count=1, due_at=coming, execution_time=NOW)
    seeds.attempt(run_id, exception_type="KeyError", exception_message="x")
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    assert re.search(r"1 KeyError ran 2 s 2 to come in 4 min 3 to come in 9 min", page)


def test_a_retry_that_is_overdue_is_due_and_those_after_it_are_to_come(
    visitor: Visitor, seeds: Seeds
) -> None:
    late = datetime.now(UTC) - timedelta(minutes=5)
    waits = [timedelta(seconds=10), timedelta(minutes=30)]
    run_id = seeds.run(retry_count=1, retries=2, retry_intervals=waits, due_at=late, execution_time=NOW)
    seeds.attempt(run_id, exception_type="KeyError", exception_message="x")
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    assert "Next attempt due 5 min ago" in page
    assert re.search(r"2 to come due 5 min ago 3 to come in (29|30) min", page)


def test_a_cron_ticker_that_is_overdue_is_said_to_be_due(visitor: Visitor, seeds: Seeds) -> None:
    late = seeds.cron(function="Late", next_run_at=datetime.now(UTC) - timedelta(minutes=5))
    assert "Next run due 5 min ago" in text_of(visitor.get(f"/crons/{late}").text)
    assert "due 5 min ago" in text_of(visitor.get("/crons").text)


def test_where_nothing_is_active_a_link_leads_to_what_is_due(visitor: Visitor, seeds: Seeds) -> None:
    due = seeds.run(due_at=datetime.now(UTC) - timedelta(seconds=5))
    page = visitor.get("/runs/active").text
    assert "Nothing runs, is queued or is held" in page
    [there] = re.findall(r'<a href="([^"]+)">What is due</a>', page)
    assert str(due) in visitor.get(there.removeprefix(BASE)).text


def test_what_a_role_may_not_see_is_not_on_the_page(seeds: Seeds) -> None:
    run_id = seeds.run(
        status=TickerStatus.FAILED,
        exception_type="KeyError",
        exception_message="the secret",
        request=b'{"a":"told only"}',
    )
    app = create_app(
        seeds.tickerq,
        users={"vic": (QUICK_HASH, "viewer"), "admin": (QUICK_HASH, "admin")},
        permissions={"viewer": []},
    )
    client = app.test_client()
    vic = client.get(f"{BASE}/runs/{run_id}", headers=basic("vic", PASSWORD)).text
    admin = client.get(f"{BASE}/runs/{run_id}", headers=LOGIN).text
    assert [("told only" in page, "the secret" in page) for page in (vic, admin)] == [
        (False, False),
        (True, True),
    ]
    assert "KeyError" in vic
    assert "Your role may not see" in vic
    assert "/audit" not in vic


def test_a_function_shows_its_options_and_its_runs(visitor: Visitor, seeds: Seeds) -> None:
    now = datetime.now(UTC)
    seeds.run(function="shop.Send", held_for="function", hold_key="shop.Send", held_since=now)
    seeds.run(function="shop.Send", status=TickerStatus.FAILED, ended_at=now)
    page = text_of(visitor.get("/functions").text)
    assert "shop. Send" in page
    assert "no worker" in page
    one = text_of(visitor.get("/functions/shop.Send").text)
    assert "none: its runs are held" in one
    assert "1 failed" in visitor.get("/functions/shop.Send").text
    assert visitor.get("/functions/Unknown").status_code == 404


def test_a_function_that_nothing_registered_says_how_many_runs_wait_for_it(
    visitor: Visitor, seeds: Seeds
) -> None:
    for _ in range(2):
        run_id = seeds.run(function="shop.Lost")
    seeds.run(function="Ended", status=TickerStatus.FAILED)
    assert f'href="{BASE}/functions/shop.Lost"' in visitor.get(f"/runs/{run_id}").text
    page = visitor.get("/functions/shop.Lost")
    assert page.status_code == 200
    assert "none ever registered it. 2 runs of it wait for a worker" in text_of(page.text)
    assert f'href="{BASE}/runs/upcoming?function=shop.Lost"' in page.text


def test_what_was_done_stands_in_the_audit_and_on_its_object(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron()
    seeds.tickerq.cron_tickers.pause(cron_id, reason="a <b>release</b>", by="ann")
    rows = visitor.get("/audit").text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "ann Pause cron ticker" in text_in(rows)
    assert "ann Pause cron ticker : a <b>release</b>" in text_of(visitor.get(f"/crons/{cron_id}").text)
    assert "No entry matches" in visitor.get("/audit?actor=nobody").text


def test_the_settings_show_no_secret(visitor: Visitor, seeds: Seeds) -> None:
    page = visitor.get("/settings").text
    assert "namespace" in page
    assert "read_budget" in page


def test_the_settings_say_when_history_was_cleaned_up_and_how_large_the_tables_are(
    visitor: Visitor, seeds: Seeds
) -> None:
    from tests.dashboard.showcase import Showcase

    said = text_of(visitor.get("/settings").text)
    assert "Last clean-up none yet by a beat that is alive" in said
    shown = Showcase(seeds, runs=1)
    shown.beat()
    now = seeds.tickerq.core.clock.now()
    for seconds, pruned in ((540, 7), (1, 1_234)):
        beat = nodes.select().where(nodes.c.kind == "beat").limit(1)
        row = seeds.tickerq.core.read(lambda tx, each: tx.execute(each).one()._asdict(), beat)
        row |= {"id": new_id(), "name": f"beat-{pruned}", "pruned": pruned}
        row |= {"pruned_at": now - timedelta(seconds=seconds)}
        seeds.tickerq.core.write(lambda tx, each: tx.execute(nodes.insert().values(each)), row)
    fresh = create_app(seeds.tickerq, users={"admin": QUICK_HASH}).test_client()
    said = text_of(fresh.get(f"{BASE}/settings", headers=LOGIN).text)
    assert "by beat-1234, which has deleted 1,234 rows" in said
    assert re.search(r"tickerq_tickers [1-9]\d*", said)
    object.__setattr__(seeds.tickerq.config, "auto_prune", False)
    seeds.tickerq.core.write(lambda tx: tx.execute(nodes.delete()))
    fresh = create_app(seeds.tickerq, users={"admin": QUICK_HASH}).test_client()
    assert "auto_prune is off here" in text_of(fresh.get(f"{BASE}/settings", headers=LOGIN).text)


def test_a_page_that_has_not_changed_is_not_sent_again(visitor: Visitor, seeds: Seeds) -> None:
    seeds.run(function="Send", status=TickerStatus.DONE)
    visitor.get("/runs")
    settle()
    etag = visitor.get("/runs").headers["ETag"]
    assert visitor.get("/runs", headers={**LOGIN, "If-None-Match": etag}).status_code == 304
    seeds.run(function="Other", status=TickerStatus.DONE)
    fresh = create_app(seeds.tickerq, users={"admin": QUICK_HASH}).test_client()
    again = fresh.get(f"{BASE}/runs", headers={**LOGIN, "If-None-Match": etag})
    assert again.status_code == 200
    assert again.headers["ETag"] != etag


@pytest.mark.parametrize("of", ["run", "cron"])
def test_the_page_of_one_thing_has_its_whole_description(visitor: Visitor, seeds: Seeds, of: str) -> None:
    longest = f"{'word ' * 99}end"
    ticker_id = getattr(seeds, of)(description=longest)
    assert longest in text_of(visitor.get(f"/{of}s/{ticker_id}").text)
