"""What the pages show, and that they show nothing else."""

import logging
import re
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

import tickerq_dashboard
from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH, Visitor
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.errors import StoreError
from tickerq_dashboard import create_app, create_blueprint
from tickerq_dashboard.headers import SECURITY_HEADERS
from tickerq_dashboard.words import duration

NOW = datetime(2026, 11, 24, 21, 5, tzinfo=UTC)

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

HOSTILE = (
    "<img/src/onerror=x>\"'><svg onload=x>javascript:x{{7*7}}{% raw %}"
    "</script></pre></textarea>\u202e\u200b&amp;"
)


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
        request_bytes=b'{"email":"user@example.com","ids":[12345678901234567890]}',
    )
    seeds.attempt(
        run_id,
        number=0,
        claim_no=1,
        exception_type="SMTPServerDisconnected",
        exception_message="refused",
        traceback="Traceback: line 12",
        started_at=NOW,
        finished_at=NOW + timedelta(milliseconds=1500),
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
    ("request_bytes", "shown"),
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
def test_any_request_can_be_shown(
    visitor: Visitor, seeds: Seeds, request_bytes: bytes | None, shown: str
) -> None:
    response = visitor.get(f"/runs/{seeds.run(request_bytes=request_bytes)}")
    assert response.status_code == 200
    assert shown in text_of(response.text)
    assert len(response.data) < 100_000


def test_a_run_links_its_parent_and_its_cron_ticker(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron()
    parent = seeds.run()
    occurrence = seeds.run(type=TickerType.CRON_TICKER_OCCURRENCE, cron_ticker_id=cron_id)
    child = seeds.run(parent_id=parent)
    assert f'href="{BASE}/runs/{parent}"' in visitor.get(f"/runs/{child}").text
    assert f'href="{BASE}/crons/{cron_id}"' in visitor.get(f"/runs/{occurrence}").text


def test_a_run_that_no_worker_knows_says_so(visitor: Visitor, seeds: Seeds) -> None:
    run_id = seeds.run(held_for="function")
    for path in ("/runs", f"/runs/{run_id}"):
        assert "no worker knows it" in visitor.get(path).text


def test_runs_are_filtered_by_function_status_and_type(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(function="Digest")
    seeds.run(function="Alpha", status=TickerStatus.FAILED)
    seeds.run(function="Alpha", status=TickerStatus.DONE)
    seeds.run(function="Beta", status=TickerStatus.FAILED)
    seeds.run(
        function="Digest",
        status=TickerStatus.DONE,
        type=TickerType.CRON_TICKER_OCCURRENCE,
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
            function="Alpha", type=TickerType.CRON_TICKER_OCCURRENCE, cron_ticker_id=cron_id
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


def test_a_cron_ticker_shows_its_next_runs(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(expression="0 0 9 * * *", time_zone="Europe/Berlin")
    page = visitor.get(f"/crons/{cron_id}").text
    upcoming = page[page.index("Next runs") : page.index("Occurrences")]
    assert upcoming.count("<time ") == 5
    assert "Europe/Berlin" in page


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
        ("0 9 1 * MON", True, "on either day"),
        ("0 9 * * MON", False, ""),
        ("0 9 1 * ?", False, ""),
    ],
)
def test_two_day_fields_say_how_they_combine(
    visitor: Visitor, seeds: Seeds, expression: str, day_or: bool, says: str
) -> None:
    page = visitor.get(f"/crons/{seeds.cron(expression=expression, day_or=day_or)}").text
    assert (f">{says}" in page) if says else ("<dt>Days</dt>" not in page)


def test_hostile_text_is_only_text_in_every_field(visitor: Visitor, seeds: Seeds) -> None:
    cron_id = seeds.cron(
        function=HOSTILE,
        description=HOSTILE,
        expression=HOSTILE,
        time_zone=HOSTILE,
        seed_expression=HOSTILE + "2",
        is_enabled=False,
        paused_by=HOSTILE,
        paused_reason=HOSTILE,
        queue=HOSTILE,
        tags=(HOSTILE,),
        namespace="default",
        request_bytes=b'{"<svg onload=x>": "</pre><script>x</script>"}',
    )
    run_id = seeds.run(
        function=HOSTILE,
        description=HOSTILE,
        status=TickerStatus.FAILED,
        exception_type=HOSTILE,
        exception_message=HOSTILE,
        skipped_reason=HOSTILE,
        lock_holder=HOSTILE,
        queue=HOSTILE,
        tags=(HOSTILE,),
        unique_key=HOSTILE,
        type=TickerType.CRON_TICKER_OCCURRENCE,
        cron_ticker_id=cron_id,
        request_bytes=b'{"<svg onload=x>": "</pre><script>x</script>"}',
    )
    seeds.attempt(run_id, exception_type=HOSTILE, exception_message=HOSTILE, traceback=HOSTILE, node=HOSTILE)
    for path in ("/", "/runs", f"/runs/{run_id}", "/crons", f"/crons/{cron_id}"):
        page = visitor.get(path).text
        assert escape(HOSTILE, quote=False).split('"')[0] in page, path
        for tag in ("<img/src", "<svg", "</textarea>", "<script>x"):
            assert tag not in page, path
        assert "{{7*7}}" in page
    run_page = visitor.get(f"/runs/{run_id}").text
    assert run_page.count("&lt;img/src/onerror=x&gt;") >= 12
    echoed = visitor.get('/runs?function="><svg onload=x>').text
    assert "<svg" not in echoed
    assert 'value="&#34;&gt;&lt;svg onload=x&gt;"' in echoed


def test_every_response_carries_the_security_headers(app: Flask, client: FlaskClient, seeds: Seeds) -> None:
    run_id, cron_id = seeds.run(), seeds.cron()
    known = ["", "/", "/runs", f"/runs/{run_id}", "/crons", f"/crons/{cron_id}", "/static/dashboard.css"]
    failing = ["/runs?status=lost", f"/runs/{uuid4()}", "/nope", "/static/nope"]
    for headers in (LOGIN, {}):
        for path in known + failing:
            response = client.get(BASE + path, headers=headers, buffered=True)
            for name, value in SECURITY_HEADERS.items():
                assert response.headers[name] == value, (path, name)
    assert client.post(BASE + "/runs").headers["X-Frame-Options"] == "DENY"
    assert client.get("/elsewhere").headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in SECURITY_HEADERS["Content-Security-Policy"]
    assert "unsafe" not in SECURITY_HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/runs", "/runs/{}", "/crons", "/crons/{}"])
def test_a_missing_ticker_is_a_page_inside_the_layout(visitor: Visitor, path: str) -> None:
    response = visitor.get(path.format(uuid4()))
    if "{}" in path:
        assert response.status_code == 404
        assert re.search(r"Request id <code>[0-9a-f]{12}</code>", response.text)
    assert 'aria-label="Pages"' in response.text


class BrokenReader:
    """A store that fails with what it is given."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str):
        raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StoreError("SELECT secret FROM t at /srv/app"), 503),
        (RuntimeError("SELECT secret FROM t at /srv/app"), 500),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_a_failure_shows_a_request_id_and_no_cause(
    error: Exception, status: int, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(BrokenReader(error), users={"admin": QUICK_HASH})
    app.debug = app.testing = debug
    with caplog.at_level(logging.ERROR, logger="tickerq_dashboard"):
        response = app.test_client().get(BASE + "/runs", headers=LOGIN)
    assert response.status_code == status
    assert "secret" not in response.text
    assert "/srv/app" not in response.text
    assert "Traceback" not in response.text
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.request_id == response.headers["X-Request-Id"]
    assert record.request_id in response.text


def host_app(seeds: Seeds) -> Flask:
    host = Flask("host")

    @host.get("/")
    def home() -> str:
        return "the host's own page"

    @host.errorhandler(404)
    def missing(error: Exception) -> tuple[str, int]:
        return "the host's own 404", 404

    @host.get("/admin/tickerq-other")
    def neighbour() -> str:
        return "a neighbour"

    host.jinja_env.autoescape = False
    host.register_blueprint(
        create_blueprint(seeds.tickerq, users={"admin": QUICK_HASH}, base_path="/admin/tickerq")
    )
    return host


def test_a_host_keeps_its_own_pages_open_and_the_dashboard_closed(seeds: Seeds) -> None:
    client = host_app(seeds).test_client()
    for path in ("/", "/admin/tickerq-other"):
        response = client.get(path)
        assert response.status_code == 200
        assert "Content-Security-Policy" not in response.headers
    assert client.get("/elsewhere").text == "the host's own 404"
    for path in ("", "/", "/runs", "/nope", "/static/dashboard.css"):
        response = client.get(f"/admin/tickerq{path}")
        assert response.status_code == 401
        assert SECURITY_HEADERS.items() <= dict(response.headers).items()
    assert client.get("/admin/tickerq", headers=LOGIN).status_code == 200
    for path in ("/nope", "/static/nope", f"/runs/{uuid4()}"):
        response = client.get(f"/admin/tickerq{path}", headers=LOGIN)
        assert response.status_code == 404
        assert "Nothing is here" in response.text
        assert SECURITY_HEADERS.items() <= dict(response.headers).items()


def test_a_host_cannot_switch_escaping_off_by_accident(seeds: Seeds) -> None:
    seeds.run(function="<svg onload=x>")
    page = host_app(seeds).test_client().get("/admin/tickerq/runs", headers=LOGIN).text
    assert "<svg" not in page


@pytest.mark.parametrize("base_path", ["/admin/tickerq", "/admin/tickerq/", "/"])
def test_every_link_stays_below_the_base_path_and_a_proxys_prefix(seeds: Seeds, base_path: str) -> None:
    run_id, cron_id = seeds.run(), seeds.cron()
    host = Flask("host", static_folder=None)
    host.register_blueprint(create_blueprint(seeds.tickerq, users={"admin": QUICK_HASH}, base_path=base_path))
    client = host.test_client()
    below = base_path.rstrip("/")
    for path in ("/", "/runs", f"/runs/{run_id}", "/crons", f"/crons/{cron_id}"):
        response = client.get(
            below + path,
            headers=LOGIN | {"Host": "evil.example"},
            environ_overrides={"SCRIPT_NAME": "/behind"},
        )
        assert response.status_code == 200
        links = re.findall(r'(?:href|src|action)="([^"]*)"', response.text)
        assert len(links) > 5
        for link in links:
            assert link.startswith(f"/behind{below}/") or link == "#content", link
        assert "evil.example" not in response.text


def test_two_dashboards_can_live_in_one_application(seeds: Seeds) -> None:
    host = Flask("host")
    for name in ("one", "two"):
        blueprint = create_blueprint(seeds.tickerq, users={"admin": QUICK_HASH}, base_path=f"/{name}")
        host.register_blueprint(blueprint, name=name)
    page = host.test_client().get("/two/runs", headers=LOGIN).text
    assert 'href="/two/crons"' in page
    assert 'href="/one' not in page


def test_a_static_file_has_its_own_type(visitor: Visitor) -> None:
    assert visitor.get("/static/dashboard.css").mimetype == "text/css"
    assert visitor.get("/static/dashboard.js").mimetype in {"text/javascript", "application/javascript"}
    assert visitor.get("/static/icon.svg").mimetype == "image/svg+xml"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, ""),
        (0, "0 ms"),
        (999, "999 ms"),
        (1500, "1.5 s"),
        (59_949, "59.9 s"),
        (59_990, "1 min 0 s"),
        (61_000, "1 min 1 s"),
        (3_600_000, "1 h 0 min"),
        (90_000_000, "25 h 0 min"),
    ],
)
def test_a_duration_is_told_in_its_largest_units(milliseconds: float | None, text: str) -> None:
    assert duration(milliseconds) == text


def shipped_texts() -> list[Path]:
    package = Path(tickerq_dashboard.__file__).parent
    kinds = {".html", ".js", ".css", ".svg", ".py"}
    return [path for path in package.rglob("*") if path.suffix in kinds]


def test_what_is_shipped_cannot_turn_text_into_markup_or_leave_the_machine() -> None:
    forbidden = re.compile(
        r"\|\s*safe\b|Markup\(|autoescape false|innerHTML|outerHTML|insertAdjacentHTML"
        r"|document\.write|\beval\(|\sstyle=|\son[a-z]+=|@import|sourceMappingURL|(?:src|href|url)\W{1,3}(?:https?:)?//"
    )
    files = shipped_texts()
    assert len(files) > 15
    for path in files:
        assert not forbidden.search(path.read_text(encoding="utf-8")), path
