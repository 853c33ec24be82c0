"""What the pages show, and that they show nothing else."""

import re
from datetime import timedelta
from html import unescape

import pytest

from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH, Visitor
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import HoldReason
from tickerq_dashboard import create_app
from tickerq_dashboard.words import duration

WORDS = {
    TickerStatus.IDLE: "Idle",
    TickerStatus.QUEUED: "Queued",
    TickerStatus.IN_PROGRESS: "In progress",
    TickerStatus.DONE: "Done",
    TickerStatus.DUE_DONE: "Due done (late)",
    TickerStatus.FAILED: "Failed",
    TickerStatus.CANCELLED: "Cancelled",
    TickerStatus.SKIPPED: "Skipped",
}


def text_of(html: str) -> str:
    """What a reader sees of a page, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


@pytest.mark.parametrize("path", ["/", "/runs", "/crons"])
def test_an_empty_store_says_why_and_what_to_do(visitor: Visitor, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 200
    assert 'class="empty"' in response.text


@pytest.mark.parametrize("status", TickerStatus)
def test_every_status_has_a_word_and_an_icon(visitor: Visitor, seeds: Seeds, status: TickerStatus) -> None:
    run_id = seeds.run(function="Send", status=status)
    for path in ("/runs", f"/runs/{run_id}"):
        page = visitor.get(path).text
        assert re.search(rf'aria-hidden="true">.</span>{re.escape(WORDS[status])}</span>', page)


def test_times_name_their_zone_and_can_be_read_by_machines(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(execution_time=NOW)
    page = visitor.get(f"/runs/{run_id}").text
    assert '<time datetime="2026-11-24T21:05:00.000000Z">2026-11-24 21:05:00<span class="zone"> UTC' in page


def test_a_run_shows_each_attempt_with_its_traceback(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(
        function="SendWelcomeEmail",
        description="Welcome email for user@example.com",
        status=TickerStatus.DONE,
        retries=3,
        retry_count=1,
        request=b'{"email":"user@example.com","ids":[12345678901234567890]}',
    )
    seeds.attempt(
        run_id,
        number=0,
        claim_no=1,
        exception_type="SMTPServerDisconnected",
        exception_message="refused",
        traceback="Traceback: line 12",
        started_at=NOW,
        ended_at=NOW + timedelta(milliseconds=1500),
    )
    seeds.attempt(
        run_id,
        number=1,
        claim_no=2,
        status=TickerStatus.DONE,
        exception_type=None,
        exception_message=None,
        traceback=None,
    )
    html = visitor.get(f"/runs/{run_id}").text
    page = text_of(html)
    assert "Welcome email for user@example.com" in page
    assert "Attempt 1 ✕ Failed" in page
    assert "SMTPServerDisconnected: refused" in page
    assert "1.5 s" in page
    assert re.search(r"<details><summary>Traceback of attempt 1</summary><pre[^>]*>Traceback: line 12", html)
    assert "Attempt 2 ✓ Done" in page
    assert '"email": "user@example.com"' in page
    assert "12345678901234567890" in page
    assert "1 of 3 used" in page


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (None, "without a request"),
        (b"null", "null"),
        (b"0", "0"),
        (b'""', '""'),
        (b"\xff\x00not json", "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
        (b"9" * 10_000, "cannot be read as JSON"),
        (b'"' + b"a" * 500_000 + b'"', "cut: the request has 500,002 bytes"),
        (b'"\\ud800"', "\\ud800"),
    ],
)
def test_any_request_can_be_shown(visitor: Visitor, seeds: Seeds, stored: bytes | None, shown: str) -> None:
    response = visitor.get(f"/runs/{seeds.run(request=stored)}")
    assert response.status_code == 200
    assert shown in text_of(response.text)
    assert len(response.data) < 100_000


def test_a_run_links_its_parent_and_its_cron_ticker(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron()
    parent = seeds.run()
    occurrence = seeds.run(type=int(TickerType.CRON_TICKER_OCCURRENCE), cron_ticker_id=cron_id)
    child = seeds.run(parent_id=parent)
    assert f'href="{BASE}/runs/{parent}"' in visitor.get(f"/runs/{child}").text
    assert f'href="{BASE}/crons/{cron_id}"' in visitor.get(f"/runs/{occurrence}").text


def test_a_run_lists_its_children_a_page_at_a_time(seeds: Seeds) -> None:
    parent = seeds.run(has_children=True)
    children = [seeds.run(parent_id=parent, run_condition=1, function=f"Child{n}") for n in range(3)]
    app = create_app(seeds.tickerq, users={"admin": QUICK_HASH}, page_size=2)
    visitor = Visitor(app.test_client())
    first = visitor.get(f"/runs/{parent}").text
    assert [f"/runs/{child}" in first for child in children] == [False, True, True]
    assert "Child2" in first
    older = re.search(rf"/runs/{parent}\?cursor=[^\"]+", first)
    assert older is not None
    second = visitor.get(older[0]).text
    assert [f"/runs/{child}" in second for child in children] == [True, False, False]
    assert "Children" not in visitor.get(f"/runs/{children[0]}").text


def test_a_run_that_no_worker_knows_says_so(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(held_for="function")
    for path in ("/runs", f"/runs/{run_id}"):
        assert "no worker knows it" in visitor.get(path).text


@pytest.mark.parametrize("reason", HoldReason)
def test_every_reason_of_a_hold_has_words(visitor: Visitor, seeds: Seeds, reason: HoldReason) -> None:
    run_id = seeds.run(held_for=reason.value)
    held = re.search(r'<span class="held">([^<]+)</span>', visitor.get(f"/runs/{run_id}").text)
    assert held is not None
    assert held[1] == "paused" or " " in held[1]


@pytest.mark.parametrize("status", [TickerStatus.DONE, TickerStatus.DUE_DONE])
def test_a_celery_task_that_was_published_never_looks_like_a_success(
    visitor: Visitor, seeds: Seeds, status: TickerStatus
) -> None:
    cron_id = seeds.cron(kind="celery_task")
    occurrence = {"kind": "celery_task", "type": int(TickerType.CRON_TICKER_OCCURRENCE)}
    run_id = seeds.run(function="shop.refresh", status=status, cron_ticker_id=cron_id, **occurrence)
    for path in ("/", "/runs", f"/runs/{run_id}", f"/crons/{cron_id}"):
        page = visitor.get(path).text
        assert 'status-published"><span class="icon" aria-hidden="true">→</span>Published<' in page
        # An enabled cron ticker is green, a run is not.
        assert "status-done" not in page.replace(
            'status-done"><span class="icon" aria-hidden="true">✓</span>Enabled', ""
        )
        assert "status-due-done" not in page
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
    for path in ("/", "/runs", f"/runs/{run_id}"):
        page = visitor.get(path).text
        assert "status-published" in page
        assert "status-queued" not in page
    assert shown in text_of(visitor.get(f"/runs/{run_id}").text)
    queued = seeds.run(**at_the_broker)
    assert "status-queued" in visitor.get(f"/runs/{queued}").text


def test_a_call_of_a_celery_task_shows_celery_s_retries_and_none_of_a_function_s_options(
    visitor: Visitor, seeds: Seeds
) -> None:
    run_id = seeds.run(
        kind="celery_task",
        status=TickerStatus.FAILED,
        started_at=NOW,
        retry_count=1,
        on_lost="retry",
        task_id="an id of Celery's",
        request=b'{"args":[2,3]}',
    )
    seeds.attempt(run_id, exception_type="Retry", exception_message="in 60 s")
    seeds.attempt(run_id, claim_no=1, retries=1, number=1)
    page = text_of(visitor.get(f"/runs/{run_id}").text)
    assert "Task id an id of Celery's" in page
    assert "If its worker dies it starts again" in page
    assert "Retries 1 by Celery" in page
    assert "Retry intervals" not in page
    assert "Attempt 1 ✕ Failed" in page
    assert "Attempt 2 Celery's retry 1 ✕ Failed" in page
    assert re.search('"Attempt" class="figure">2</td>', visitor.get("/runs").text)


def test_a_cron_ticker_of_a_celery_task_shows_none_of_a_function_s_options(
    visitor: Visitor, seeds: Seeds
) -> None:
    page = text_of(visitor.get(f"/crons/{seeds.cron(kind='celery_task', on_lost='fail')}").text)
    assert "Calls a Celery task" in page
    assert "If its worker dies it fails" in page
    assert "Retries" not in page


@pytest.mark.parametrize(("kind", "label"), [("function", "Ended at"), ("celery_task", "Published at")])
def test_the_end_of_a_run_is_labelled_by_what_is_known_of_it(
    visitor: Visitor, seeds: Seeds, kind: str, label: str
) -> None:
    run_id = seeds.run(kind=kind, status=TickerStatus.DONE, published_at=NOW)
    assert f'<td data-label="{label}"><time' in visitor.get("/runs").text
    shown = visitor.get(f"/runs/{run_id}").text
    assert f"<dt>{label}</dt><dd><time" in shown
    assert ("<dt>Ended at</dt>" in shown) == (kind == "function")


def test_published_runs_are_filtered_apart_from_those_that_succeeded(visitor: Visitor, seeds: Seeds) -> None:
    for function, kind in (("Ours", "function"), ("Call", "celery_task")):
        for status in (TickerStatus.DONE, TickerStatus.DUE_DONE, TickerStatus.FAILED):
            seeds.run(function=function, kind=kind, status=status)
        seeds.run(function=function, kind=kind, status=TickerStatus.QUEUED, published_at=NOW)
    seeds.run(function="Followed", kind="celery_task", status=TickerStatus.DONE, started_at=NOW)

    def functions(slug: str) -> list[str]:
        return sorted(
            re.findall(r'<a class="clamp" [^>]*>(\w+)</a>', visitor.get(f"/runs?status={slug}").text)
        )

    assert functions("published") == ["Call", "Call", "Call"]
    assert functions("done") == ["Followed", "Ours"]
    assert functions("due-done") == functions("queued") == ["Ours"]
    assert functions("failed") == ["Call", "Ours"]


def test_runs_are_filtered_by_function_status_and_type(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(function="Digest")
    seeds.run(function="Alpha", status=TickerStatus.FAILED)
    seeds.run(function="Alpha", status=TickerStatus.DONE)
    seeds.run(function="Beta", status=TickerStatus.FAILED)
    seeds.run(
        function="Digest",
        status=TickerStatus.DONE,
        type=int(TickerType.CRON_TICKER_OCCURRENCE),
        cron_ticker_id=cron_id,
    )

    def functions(query: str) -> list[str]:
        page = visitor.get(f"/runs?{query}").text
        return sorted(re.findall(r'<th scope="row"><a [^>]*>(\w+)</a>', page))

    assert functions("") == ["Alpha", "Alpha", "Beta", "Digest"]
    assert functions("function=Alpha") == ["Alpha", "Alpha"]
    assert functions("function=&status=failed&type=") == ["Alpha", "Beta"]
    assert functions("type=cron") == ["Digest"]
    assert functions("function=Alpha&status=failed&type=time") == ["Alpha"]
    assert functions("function=Alph") == []
    assert functions("function=Alp%25") == []
    assert "No run matches these filters" in visitor.get("/runs?function=Gamma").text
    assert 'value="failed" selected' in visitor.get("/runs?status=failed").text


@pytest.mark.parametrize(
    "path",
    [
        "/runs?status=lost",
        "/runs?status=5",
        "/runs?type=both",
        "/runs?function=" + "a" * 201,
        "/runs?function=a%00b",
        "/runs?cursor=nonsense",
        "/runs?cursor=%00",
        "/runs?cursor=" + "9" * 5000,
        "/runs?cursor=%F0%9F%92%A5",
        "/runs?cursor=%ED%A0%80",
        "/crons?cursor=nonsense",
    ],
)
def test_a_filter_or_page_mark_that_means_nothing_is_a_bad_request(visitor: Visitor, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 400
    assert 'href="/tickerq/dashboard/runs"' in response.text


@pytest.mark.parametrize("kind", ["runs", "crons", "occurrences"])
def test_a_list_is_paged_without_gaps_or_repeats(seeds: Seeds, kind: str) -> None:
    client = create_app(seeds.tickerq, users={"admin": QUICK_HASH}, page_size=3).test_client()
    cron_id = seeds.cron(function="Digest")
    made = {
        "runs": lambda: seeds.run(function="Alpha"),
        "crons": lambda: seeds.cron(function="Alpha"),
        "occurrences": lambda: seeds.run(
            function="Alpha", type=int(TickerType.CRON_TICKER_OCCURRENCE), cron_ticker_id=cron_id
        ),
    }[kind]
    expected = [str(made()) for _ in range(7)]
    if kind == "crons":
        expected.insert(0, str(cron_id))
    path = {"runs": "/runs?function=Alpha", "crons": "/crons", "occurrences": f"/crons/{cron_id}"}[kind]
    address, seen, pages = BASE + path, [], 0
    while address:
        page = client.get(address, headers=LOGIN).text
        seen += re.findall(r'<th scope="row"><a [^>]*href="[^"]*/([0-9a-f-]{36})"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address, pages = unescape(older[1]) if older else "", pages + 1
    assert seen == expected[::-1]
    assert pages == 3
    assert "First page" in page


def test_the_overview_shows_what_runs_what_failed_and_what_comes(visitor: Visitor, seeds: Seeds) -> None:
    seeds.run(function="Runs", status=TickerStatus.IN_PROGRESS)
    for number in range(12):
        seeds.run(function=f"Failed{number}", status=TickerStatus.FAILED, exception_message="boom")
    seeds.cron(function="Later", next_run_at=NOW + timedelta(hours=2))
    seeds.cron(function="Sooner", next_run_at=NOW)
    seeds.cron(function="Paused", next_run_at=NOW, is_enabled=False)
    page = text_of(visitor.get("/").text)
    running, failed, upcoming, newest = (
        page.index(title)
        for title in (" In progress ", " Latest failures ", " Next cron runs ", " Newest runs ")
    )
    assert "Runs" in page[running:failed]
    assert page[failed:upcoming].count("boom") == 10
    assert "All failed runs" in page[failed:upcoming]
    assert page[upcoming:newest].index("Sooner") < page[upcoming:newest].index("Later")
    assert "Paused" not in page[upcoming:newest]


def test_the_overview_does_not_pretend_to_know_the_next_of_too_many(visitor: Visitor, seeds: Seeds) -> None:
    for _ in range(101):
        seeds.cron(next_run_at=NOW)
    assert "more cron tickers than this page looks at" in visitor.get("/").text


@pytest.mark.parametrize("day_or", [False, True])
def test_a_cron_ticker_shows_its_next_runs(visitor: Visitor, seeds: Seeds, day_or: bool) -> None:
    expression = "0 0 9 1 * MON"
    expected = seeds.tickerq.cron_tickers.preview(
        expression, time_zone="Europe/Berlin", count=5, day_or=day_or
    )
    cron_id = seeds.cron(
        expression=expression, time_zone="Europe/Berlin", day_or=day_or, next_run_at=expected[0]
    )
    page = visitor.get(f"/crons/{cron_id}").text
    upcoming = page[page.index("Next runs") : page.index("Occurrences")]
    assert re.findall(r'datetime="([^"]+)"', upcoming) == [
        f"{each:%Y-%m-%dT%H:%M:%S.%f}Z" for each in expected
    ]
    assert "Europe/Berlin" in page


def test_a_cron_ticker_says_whether_the_code_defines_it(visitor: Visitor, seeds: Seeds) -> None:
    seeds.cron(function="Digest")
    seeds.cron(function="CleanUp", seed_key=None, seed_expression=None)
    page = text_of(visitor.get("/crons").text)
    assert "Digest From code" in page
    assert "CleanUp Added" in page


def test_a_paused_cron_ticker_says_who_paused_it_and_why(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(is_enabled=False, paused_by="ann", paused_reason="maintenance", paused_at=NOW)
    page = text_of(visitor.get(f"/crons/{cron_id}").text)
    assert re.search(r"Paused by ann at 2026-11-24 21:05:00 UTC ?: maintenance", page)
    assert "maintenance" in visitor.get("/crons").text


def test_an_unreadable_expression_does_not_break_its_page(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(expression="nonsense")
    response = visitor.get(f"/crons/{cron_id}")
    assert response.status_code == 200
    assert "cannot be read" in response.text


@pytest.mark.parametrize(
    ("expression", "day_or", "says"),
    [
        ("0 9 1 * MON", False, "only on days that match both"),
        ("0 0 9 1 * MON", False, "only on days that match both"),
        ("0 9 1 * MON", True, "on days that match either"),
        ("0 9 */2 * MON", True, "as in Unix it fires only on days that match both"),
        ("0 9 * * MON", False, ""),
        ("0 9 1 * ?", False, ""),
    ],
)
def test_two_day_fields_say_how_they_combine(
    visitor: Visitor, seeds: Seeds, expression: str, day_or: bool, says: str
) -> None:
    page = visitor.get(f"/crons/{seeds.cron(expression=expression, day_or=day_or)}").text
    assert (f"{says}<" in page) if says else ("both day fields" not in page)


def test_a_static_file_has_its_own_type(visitor: Visitor) -> None:
    assert visitor.get("/static/dashboard.css").mimetype == "text/css"
    assert visitor.get("/static/dashboard.js").mimetype in {"text/javascript", "application/javascript"}
    assert visitor.get("/static/icon.svg").mimetype == "image/svg+xml"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, ""),
        (timedelta(0), "0 ms"),
        (timedelta(seconds=0.999), "999 ms"),
        (timedelta(seconds=1.5), "1.5 s"),
        (timedelta(seconds=59.949), "59.9 s"),
        (timedelta(seconds=59.99), "1 min 0 s"),
        (timedelta(minutes=1, seconds=1), "1 min 1 s"),
        (timedelta(hours=1), "1 h 0 min"),
        (timedelta(hours=25), "25 h 0 min"),
    ],
)
def test_a_duration_is_shown_in_its_largest_units(span: timedelta | None, text: str) -> None:
    assert duration(span) == text


def test_a_run_shows_its_progress_and_its_log_lines(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(
        status=TickerStatus.IN_PROGRESS, progress=0.999, progress_message="row <b> of 1000", claim_no=1
    )
    seeds.log(run_id, [["2026-11-24T21:05:07+00:00", "WARNING", "slow <b>"]])
    page = visitor.get(f"/runs/{run_id}").text
    assert "99 %" in page
    assert "row &lt;b&gt; of 1000" in page
    assert "2026-11-24 21:05:07 attempt 1 WARNING slow &lt;b&gt;\n</pre>" in page
    assert "99 % row &lt;b&gt; of 1000" in visitor.get("/runs").text


def test_secrets_in_a_request_are_masked(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(request=b'{"user":"ada","api_token":"hunter2"}')
    page = visitor.get(f"/runs/{run_id}").text
    assert "•••" in page
    assert ("ada" in page, "hunter2" in page) == (True, False)


def test_a_request_without_its_key_is_said_to_be_unreadable(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(request=b"what only a key opens", encoding=2)
    page = visitor.get(f"/runs/{run_id}").text
    assert "it is encrypted, and this process has no tickerq_encryption_keys" in page
