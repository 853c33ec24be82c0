"""The banner on every page, the page of all findings, and what probes are answered."""

import math
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import product
from uuid import uuid4

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.dashboard.conftest import BASE, LOGIN, LOOK, PASSWORD, QUICK_HASH, Visitor, basic
from tests.dashboard.page_text import text_in
from tests.dashboard.seeds import NOW, Seeds
from tests.inner import celery_command
from tests.integration.apps import join
from tests.manual_clock import ManualClock
from tests.tables import nodes
from tickerq_celery import TickerStatus
from tickerq_celery.enums import NodeKind
from tickerq_celery.views import (
    Finding,
    FindingCode,
    HealthReport,
    Severity,
    Subject,
    SubjectKind,
    TickerConfig,
)
from tickerq_dashboard import create_app
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.banner import Topic, banner_of
from tickerq_dashboard.health import FIRST_TIMEOUT, TIMEOUT, HealthWatch, KnownReport
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.show.places import places_of

LATER = NOW.replace(year=2099)
WELL = HealthReport(
    at=datetime(2026, 1, 15, 12, tzinfo=UTC),
    findings=(Finding(code=FindingCode.BEATS, severity=Severity.OK, text="beat b is alive"),),
)


class Reports:
    """A TickerQ whose reports a test gives, and which counts them."""

    def __init__(self, report: Callable[[], HealthReport] = lambda: WELL) -> None:
        self.health = self
        self.count = 0
        self.config = TickerConfig()
        self._report = report

    def report(self) -> HealthReport:
        self.count += 1
        return self._report()

    def reading_within(self, limit: timedelta) -> AbstractContextManager[None]:
        return nullcontext()


def banner(visitor: Visitor, path: str) -> str:
    """Return the words of a page's banner."""
    page = visitor.get(path).text
    return " ".join(page.partition('<section class="health')[2].partition("</section>")[0].split())


@pytest.mark.parametrize("path", ["/", "/runs", "/crons", "/nowhere"])
def test_the_banner_of_every_page_says_what_is_worst_and_how_much_more_there_is(
    seeds: Seeds, visitor: Visitor, path: str
) -> None:
    join(seeds.tickerq, NodeKind.WORKER, queues=["celery"])
    seeds.tickerq.pauses.pause(everything=True, reason="an <incident>")
    seeds.tickerq.pauses.pause(tag="eu", reason="a move")
    found = banner(visitor, path)
    assert "Failure: </span><b>No beat is alive" in found
    assert (">1 more finding<" in found) is (path != "/")
    assert ("a move" in found) is (path == "/")
    assert "Everything is paused" in found
    assert "an &lt;incident&gt;" in found


def test_the_banner_is_one_line_where_all_is_well(seeds: Seeds, visitor: Visitor) -> None:
    join_well(seeds)
    found = banner(visitor, "/")
    assert "<b>All well:</b> beat " in found
    assert "Details" in found


def join_well(seeds: Seeds) -> None:
    """Let a beat and a worker be alive for as long as the test takes."""
    for kind, queues in ((NodeKind.BEAT, []), (NodeKind.WORKER, ["celery"])):
        join(seeds.tickerq, kind, queues=queues, heartbeat=timedelta(hours=1), lease=timedelta(hours=3))


def paused_cron(seeds: Seeds) -> tuple[str, ...]:
    """Pause a cron ticker, and return the pages that are about that."""
    now = datetime.now(UTC)
    cron = seeds.cron(function="Digest", is_enabled=False, paused_at=now, paused_by="ben", next_run_at=None)
    # Not ended long ago, which the figures would lack.
    run = seeds.run(function="Digest", status=TickerStatus.FAILED, cron_ticker_id=cron, ended_at=now)
    return f"/crons/{cron}", f"/runs/{run}", "/pauses"


def paused_tag(seeds: Seeds) -> tuple[str, ...]:
    """Pause a tag, and return the pages that are about that."""
    seeds.tickerq.pauses.pause(tag="eu", by="ben")
    held = seeds.run(held_for="paused", hold_key="tag:eu", held_since=datetime.now(UTC), tags=["eu"])
    return f"/runs/{held}", f"/crons/{seeds.cron(tags=['eu'], next_run_at=LATER)}", "/pauses"


def paused_function(seeds: Seeds) -> tuple[str, ...]:
    """Pause a function, and return the pages that are about that."""
    seeds.run(function="Send", execution_time=LATER)
    seeds.tickerq.pauses.pause(function="Send", by="ben")
    return "/functions/Send", "/pauses"


def held_function(seeds: Seeds) -> tuple[str, ...]:
    """Let a run wait for a function that no worker has, and return the page that is about that."""
    seeds.run(function="Gone", held_for="function", hold_key="Gone", held_since=datetime.now(UTC))
    return ("/functions/Gone",)


@pytest.mark.parametrize("fault", [paused_cron, paused_tag, paused_function, held_function])
def test_a_page_is_without_the_line_of_the_banner_that_it_is_about(
    seeds: Seeds, visitor: Visitor, fault: Callable[[Seeds], tuple[str, ...]]
) -> None:
    join_well(seeds)
    paths = fault(seeds)
    assert "Warning: " in banner(visitor, "/errors")
    # Nothing else is wrong, so that there is no banner at all.
    assert {path: banner(visitor, path) for path in paths} == dict.fromkeys(paths, "")
    seeds.tickerq.pauses.pause(tag="other", by="ben")
    visitor.get(f"/?did={uuid4()}")
    for path in set(paths) - {"/pauses"}:
        found = banner(visitor, path)
        assert "<b>Tag other is paused" in found
        assert ">1 more finding<" in found


def test_the_nodes_page_is_without_the_line_of_the_banner_that_a_node_is_dead(
    seeds: Seeds, visitor: Visitor
) -> None:
    dead = join(seeds.tickerq, NodeKind.WORKER, name="worker-1", queues=["celery"])
    long_ago = nodes.update().where(nodes.c.id == dead).values(seen_at=NOW, clock_at=NOW)
    seeds.tickerq.core.write(lambda tx: tx.execute(long_ago))
    topic = Topic(SubjectKind.NODE, dead)
    assert sum(topic.has(each) for each in seeds.tickerq.health.report().problems) == 1
    found = banner(visitor, "/nodes")
    assert "No beat is alive" in found
    assert "worker-1" not in found


def test_that_everything_is_paused_is_said_on_every_page(seeds: Seeds, visitor: Visitor) -> None:
    seeds.tickerq.pauses.pause(everything=True, by="ben")
    assert "Everything is paused" in banner(visitor, "/pauses")


def test_the_health_page_says_once_what_is_not_well(seeds: Seeds, visitor: Visitor) -> None:
    page = visitor.get("/health").text
    assert page.count("no beat is alive") + page.count("No beat is alive") == 1
    assert banner(visitor, "/health") == ""


def test_the_page_lists_each_finding_with_what_to_do_and_no_address(seeds: Seeds, visitor: Visitor) -> None:
    join(seeds.tickerq, NodeKind.WORKER, queues=["celery"])
    seeds.tickerq.pauses.pause(everything=True, reason="an <incident>", by="ann")
    page = visitor.get("/health").text
    for text in (
        "no beat is alive",
        "start one, <code>celery -A yourapp beat</code>",
        "by ann: an &lt;incident&gt;",
        "<code>tickerq resume --everything</code> ends it",
        "The store answers",
        "The broker answers",
    ):
        assert text in page
    assert "sqlite" not in page
    assert "memory://" not in page


def test_each_line_of_the_health_page_leads_to_what_it_is_about(seeds: Seeds) -> None:
    join(seeds.tickerq, NodeKind.WORKER, queues=["celery"])
    cron_id = seeds.cron(function="Digest", is_enabled=False, next_run_at=None)
    seeds.tickerq.pauses.pause(tag="eu", reason="a move")
    seeds.run(function="Gone", held_for="function", hold_key="Gone", held_since=datetime.now(UTC))
    client = create_app(seeds.tickerq, users={"ann": (QUICK_HASH, "admin")}).test_client()
    page = client.get(BASE + "/health", headers=basic("ann", PASSWORD)).text
    lines = [each.partition("</li>")[0] for each in page.split("<li>")[1:] if 'class="ways"' in each]
    assert len(lines) == page.count('class="ways"') > 6
    links = [re.findall(r'<a href="([^"]+)">', each.partition('class="ways"')[2]) for each in lines]
    assert all(links)
    for address in {unescape(each) for line in links for each in line}:
        answer = client.get(address, headers=basic("ann", PASSWORD))
        assert answer.status_code == 200, address
    assert [f"{BASE}/crons/{cron_id}", f"{BASE}/crons/{cron_id}/resume"] in links
    assert [f"{BASE}/pauses", f"{BASE}/pauses/resume?kind=tag&amp;name=eu"] in links
    assert [f"{BASE}/functions/Gone", f"{BASE}/runs/active?held_for=function&amp;function=Gone"] in links
    assert page.index("kind=tag") < page.index("tickerq resume --tag eu")


def test_a_finding_of_any_code_has_a_place_that_is_there(app: Flask) -> None:
    subjects = (None, *(Subject(kind, "any", uuid4()) for kind in SubjectKind))
    with app.test_request_context(BASE):
        for code, subject in product(FindingCode, subjects):
            found = Finding(code=code, severity=Severity.WARNING, text="", subject=subject)
            places = places_of(found)
            assert places[0].permission is Permission.VIEW
            for place in places:
                assert url_for(f".{place.endpoint}", **place.words).startswith(BASE)


def test_a_run_on_a_worker_that_is_gone_leads_to_what_puts_it_right() -> None:
    lost = Subject(SubjectKind.RUN, "Send", uuid4())
    found = Finding(code=FindingCode.ORPHANED_RUNS, severity=Severity.FAILURE, text="", subject=lost)
    assert [(place.word, place.permission.value) for place in places_of(found)] == [
        ("Run", "view"), ("Release …", "runs.release"), ("Mark as failed …", "runs.mark_failed"),
    ]  # fmt: skip


@pytest.mark.parametrize(("role", "says_who"), [("admin", False), ("operator", True)])
def test_a_cancel_that_is_not_heeded_leads_to_a_kill_or_says_who_may(
    seeds: Seeds, role: str, says_who: bool
) -> None:
    worker = join(seeds.tickerq, NodeKind.WORKER, queues=["celery"])
    run_id = seeds.run(
        function="Send", status=TickerStatus.IN_PROGRESS, due_at=None, running_on=worker, lock_holder="w",
        started_at=NOW, locked_at=NOW, claim_no=1, cancel_request="end",
    )  # fmt: skip
    client = create_app(seeds.tickerq, users={"ann": (QUICK_HASH, role)}).test_client()
    page = client.get(BASE + "/health", headers=basic("ann", PASSWORD)).text
    line = next(each for each in page.split("<li>") if "Send was asked to end" in each)
    assert f'href="{BASE}/runs/{run_id}">Run</a>' in line
    assert (f'href="{BASE}/runs/{run_id}/terminate">Terminate …</a>' in line) is not says_who
    assert ("Terminate needs the role admin" in text_in(line)) is says_who


@pytest.mark.parametrize(
    ("severity", "words"),
    [
        (Severity.WARNING, ["Function", "Held runs"]),
        (Severity.FAILURE, ["Function", "Held runs", "Due runs"]),
    ],
)
def test_runs_without_a_worker_are_looked_for_where_there_may_be_some(
    severity: Severity, words: list[str]
) -> None:
    gone = Subject(SubjectKind.FUNCTION, "Gone")
    found = Finding(code=FindingCode.NO_FUNCTION, severity=severity, text="", subject=gone)
    assert [place.word for place in places_of(found)] == words


def test_a_line_of_the_banner_leads_to_what_it_is_about(seeds: Seeds, visitor: Visitor) -> None:
    join_well(seeds)
    cron_id = seeds.cron(function="Digest", is_enabled=False, next_run_at=None)
    found = banner(visitor, "/runs")
    assert f'<a href="{BASE}/crons/{cron_id}">Cron ticker</a>' in found
    assert "What to do" in found


def test_the_banner_leaves_the_name_of_a_function_as_it_is() -> None:
    run = Subject(SubjectKind.RUN, "send_mail", uuid4())
    texts = {FindingCode.ORPHANED_RUNS: "send_mail is in progress", FindingCode.NO_BEAT: "no beat is alive"}
    findings = tuple(
        Finding(code=code, severity=Severity.FAILURE, text=text, subject=run) for code, text in texts.items()
    )
    shown = banner_of(KnownReport(report=HealthReport(at=None, findings=findings), age=0))
    assert [each.text for each in shown.lines] == ["send_mail is in progress.", "No beat is alive."]


def test_a_page_that_shows_a_pause_leaves_out_nothing_else_of_what_is_paused() -> None:
    send = Subject(SubjectKind.FUNCTION, "Send")
    findings = tuple(
        Finding(code=code, severity=Severity.WARNING, text=code.value, subject=send)
        for code in (FindingCode.PAUSED, FindingCode.NO_FUNCTION)
    )
    report = KnownReport(report=HealthReport(at=None, findings=findings), age=0)
    shown = banner_of(report, [Topic(SubjectKind.FUNCTION, "Send", FindingCode.PAUSED)])
    assert ([each.text for each in shown.lines], shown.left_out) == (["No_function."], 1)


def test_probes_need_no_log_in_and_say_a_state_and_codes_only(seeds: Seeds, client: FlaskClient) -> None:
    worker = seeds.tickerq
    join(worker, NodeKind.WORKER, queues=["celery"])
    assert client.get(BASE + "/livez").json == {"status": "ok", "findings": []}
    ready, well = client.get(BASE + "/readyz"), client.get(BASE + "/healthz")
    assert (ready.status_code, well.status_code) == (200, 503)
    assert _without_age(ready) == _without_age(well) == {"status": "failed", "findings": ["no_beat"]}
    assert "WWW-Authenticate" not in ready.headers


def test_a_process_is_ready_that_has_a_store_and_well_where_nothing_has_failed(
    seeds: Seeds, client: FlaskClient
) -> None:
    join_well(seeds)
    seeds.tickerq.pauses.pause(everything=True)
    assert [client.get(f"{BASE}/{name}").status_code for name in ("livez", "readyz", "healthz")] == [200] * 3
    assert _without_age(client.get(BASE + "/healthz")) == {"status": "warning", "findings": ["paused"]}


def _without_age(answer: TestResponse) -> dict[str, object]:
    """Return what a probe is answered, but for how long ago the store was read, which is a number."""
    found: dict[str, object] = dict(answer.json or {})
    assert isinstance(found.pop("age"), float)
    return found


@pytest.mark.parametrize("code", [FindingCode.STORE, FindingCode.SCHEMA])
def test_a_process_without_a_store_lives_and_is_not_ready(code: FindingCode) -> None:
    failed = Finding(code=code, severity=Severity.FAILURE, text="secret@host")
    reports = Reports(lambda: HealthReport(at=None, findings=(failed,)))
    client = create_app(reports, users={"admin": QUICK_HASH}).test_client()
    answers = [client.get(f"{BASE}/{name}") for name in ("livez", "readyz", "healthz")]
    assert [each.status_code for each in answers] == [200, 503, 503]
    assert all("secret" not in each.text for each in answers)
    assert "secret" not in client.get(BASE + "/health", headers=LOGIN).text


def test_fifty_tabs_cost_one_report_and_an_old_one_is_read_again() -> None:
    reports = Reports()
    watch = HealthWatch(reports)  # type: ignore[arg-type]
    assert {watch.ask().report for _ in range(50)} == {WELL}
    assert reports.count == 1
    eager = HealthWatch(reports, fresh=0)  # type: ignore[arg-type]
    for _ in range(3):
        eager.ask()
    assert reports.count == 4


class SlowReports(Reports):
    """Reports that come once they may."""

    def __init__(self) -> None:
        self.may_come = threading.Event()
        super().__init__(self._slow)

    def _slow(self) -> HealthReport:
        self.may_come.wait(30)
        return WELL


@pytest.fixture
def slow() -> Iterator[SlowReports]:
    """Reports that come when a test lets them, or when it has ended."""
    reports = SlowReports()
    yield reports
    reports.may_come.set()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages wait as in production, where they do; but as long as a report takes on a busy machine."""
    monkeypatch.setattr(HealthWatch, "look", LOOK)
    monkeypatch.setattr("tickerq_dashboard.health.TIMEOUT", 30.0)
    monkeypatch.setattr("tickerq_dashboard.health.FIRST_TIMEOUT", 30.0)


def elsewhere(work: Callable[[], object]) -> None:
    """Do something in another thread, as another visitor."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def made(watch: HealthWatch) -> None:
    """Wait until the report that is being made has come."""
    if (making := watch._making) is not None:
        making.done.wait(30)


def no_report_is_made() -> bool:
    """Wait for the threads that make reports, and return True if none is left."""
    those = [each for each in threading.enumerate() if each.name == "tickerq-health"]
    for each in those:
        each.join(10)
    return not any(each.is_alive() for each in those)


def test_who_comes_first_waits_for_the_first_report_and_nobody_beside_him(
    impatient: None, slow: SlowReports
) -> None:
    watch = HealthWatch(slow)  # type: ignore[arg-type]
    watch.begin()
    elsewhere(watch.begin)
    elsewhere(watch.look)
    assert slow.count == 1
    making = watch._making
    assert making is not None
    waiting = threading.Timer(0, slow.may_come.set)
    waiting.start()
    assert LOOK(watch).report == WELL
    waiting.join()


def test_no_page_waits_for_a_report_that_is_made_beside_it(
    impatient: None, slow: SlowReports, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.may_come.set()
    watch = HealthWatch(slow, fresh=0)  # type: ignore[arg-type]
    monkeypatch.setattr("tickerq_dashboard.app.HealthWatch", lambda _, count: watch)
    client = create_app(slow, users={"admin": QUICK_HASH}).test_client()
    assert "All well" in client.get(BASE + "/help", headers=LOGIN).text
    made(watch)
    slow.may_come.clear()
    before = slow.count
    for _ in range(5):
        assert "All well" in client.get(BASE + "/help", headers=LOGIN).text
    # One for all of them, which has not come.
    assert slow.count == before + 1


def test_a_page_whose_report_is_of_long_ago_asks_for_another_in_a_second(
    hands: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HealthWatch, "look", LOOK)
    client = create_app(Reports(), users={"admin": QUICK_HASH}).test_client()
    client.get(BASE + "/healthz")
    seconds = {}
    for age in (5, 30):
        hands.advance(seconds=age)
        page = client.get(BASE + "/health", headers=LOGIN).text
        seconds[age] = re.findall(r'id="live" data-live="(\d+)"', page)
        assert no_report_is_made()
    assert seconds == {5: ["5"], 30: ["1"]}


def test_a_page_with_an_old_report_has_a_later_one_made_for_those_after_it() -> None:
    found = [GOOD, WELL]
    watch = HealthWatch(Reports(lambda: found.pop(0)), fresh=0)  # type: ignore[arg-type]
    watch.begin()
    assert LOOK(watch).report == GOOD
    watch.refresh()
    made(watch)
    assert LOOK(watch).report == WELL
    assert no_report_is_made()


def test_who_has_changed_something_waits_for_a_report_that_was_begun_after_it(
    impatient: None, slow: SlowReports
) -> None:
    watch = HealthWatch(slow)  # type: ignore[arg-type]
    watch.refresh()
    overtaken = watch._making
    watch.renew()
    later = watch._making
    assert overtaken is not None
    assert later is not None
    assert overtaken is not later
    slow.may_come.set()
    assert overtaken.done.wait(30)
    assert LOOK(watch).report == WELL
    assert later.done.is_set()
    assert slow.count == 2


def test_a_page_that_waits_does_so_until_the_first_report_has_taken_its_time(
    monkeypatch: pytest.MonkeyPatch, slow: SlowReports
) -> None:
    clock = ManualClock()
    monkeypatch.setattr("tickerq_dashboard.health.time", clock)
    timeouts: list[float] = []
    for seconds in (0.5, 8.5):
        watch = HealthWatch(slow)  # type: ignore[arg-type]
        watch.begin()
        making = watch._making
        assert making is not None
        monkeypatch.setattr(making.done, "wait", timeouts.append)
        clock.advance(seconds=seconds)
        assert LOOK(watch).report is None
        # Once: the next page of the same thread does not.
        watch.begin()
        assert LOOK(watch).report is None
    assert timeouts == [FIRST_TIMEOUT - 0.5, TIMEOUT]


def test_a_forked_process_has_reports_of_its_own(monkeypatch: pytest.MonkeyPatch, slow: SlowReports) -> None:
    watch = HealthWatch(slow)  # type: ignore[arg-type]
    watch.refresh()
    # As it is in a child: the thread is gone, and a lock that it held is held for ever.
    watch._lock.acquire()
    monkeypatch.setattr("tickerq_dashboard.health.os.getpid", lambda: -1)
    assert LOOK(watch).report is None
    slow.may_come.set()
    assert watch.ask(timeout=30).report == WELL
    assert slow.count == 2


def test_a_probe_waits_no_longer_than_its_timeout_and_has_the_last_report_meanwhile() -> None:
    answers = threading.Event()
    is_slow = threading.Event()

    def report() -> HealthReport:
        if is_slow.is_set():
            answers.wait(30)
        return WELL

    watch = HealthWatch(Reports(report), fresh=0)  # type: ignore[arg-type]
    is_slow.set()
    assert watch.ask(timeout=0).report is None
    answers.set()
    assert watch.ask(timeout=30).report == WELL
    answers.clear()
    assert watch.ask(timeout=0).report == WELL
    answers.set()


@pytest.mark.parametrize(
    ("known", "css", "words", "is_aged"),
    [
        (KnownReport(report=WELL, age=9), "ok", "", False),
        (KnownReport(report=WELL, age=12), "ok", "12 s", False),
        (KnownReport(report=WELL, age=60), "ok", "1 min", True),
        (KnownReport(report=WELL, age=60, awaited=5), "unknown", "No report came within 5.0 s", False),
        (KnownReport(report=WELL, age=300), "unknown", "being made. The last report is 5 min", True),
        (KnownReport(report=None, age=math.inf, awaited=0.1), "unknown", "A report is being made.", True),
        (KnownReport(report=None, age=math.inf, has_failed=True), "unknown", "server's log says why", False),
    ],
)  # fmt: skip
def test_a_report_that_nobody_has_looked_for_is_shown_with_its_age_until_that_is_too_long_ago(
    known: KnownReport, css: str, words: str, is_aged: bool
) -> None:
    shown = banner_of(known)
    assert (shown.css, shown.is_aged) == (css, is_aged)
    assert words in (shown.age if css == "ok" else shown.lines[0].text)


def test_a_report_that_fails_leaves_the_page_and_says_that_health_is_unknown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def report() -> HealthReport:
        raise RuntimeError("a bug")

    client = create_app(Reports(report), users={"admin": QUICK_HASH}).test_client()
    for _ in range(2):
        page = client.get(BASE + "/help", headers=LOGIN)
        assert page.status_code == 200
        assert "Health unknown. The last report failed: the server&#39;s log says why." in page.text
    assert "The last report failed" in client.get(BASE + "/health", headers=LOGIN).text
    assert client.get(BASE + "/healthz").json == {"status": "unknown", "findings": [], "age": None}
    assert [each.message for each in caplog.records] == ["the health report failed"]


def test_check_health_and_the_banner_notice_that_no_beat_runs(seeds: Seeds, visitor: Visitor) -> None:
    join(seeds.tickerq, NodeKind.WORKER, queues=["celery"], definitions={"SendWelcomeEmail": "digest"})
    seeds.run(execution_time=datetime.now(UTC) - timedelta(seconds=37))
    for command in ("check", "health"):
        result = CliRunner().invoke(celery_command, [command], obj=seeds.tickerq.app)
        shown = result.output
        assert result.exit_code == 1
        assert "failed   no beat is alive" in shown
        assert "failed   1 run is overdue: for more than 30 s due and not published" in shown
    assert "No beat is alive" in banner(visitor, "/")
    assert "1 run is overdue" in visitor.get("/health").text


OLD = Finding(code=FindingCode.WORKER_DEAD, severity=Severity.FAILURE, text="worker w is dead")
GOOD = HealthReport(at=WELL.at, findings=(*WELL.findings, OLD))


def unread(measured: str | None = "the store gave no answer within 2.9 s") -> HealthReport:
    """Return the report of a store that cannot be read, and of a broker that answers."""
    store = Finding(
        code=FindingCode.STORE, severity=Severity.FAILURE, text="store secret@host: no", measured=measured
    )
    broker = Finding(code=FindingCode.BROKER, severity=Severity.OK, text="broker redis://secret")
    return HealthReport(at=None, findings=(store, broker))


class InTurn(Reports):
    """A TickerQ whose reports come one after the other, the last again and again."""

    def __init__(self, *reports: HealthReport) -> None:
        self._left = list(reports)
        super().__init__(lambda: self._left.pop(0) if len(self._left) > 1 else self._left[0])


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """The clock of the dashboard's reports, which a test advances."""
    clock = ManualClock()
    monkeypatch.setattr("tickerq_dashboard.health.time", clock)
    return clock


def known_after(hands: ManualClock, *seconds: float, reports: InTurn) -> KnownReport:
    """Return what is known after a report at once, and another one after each of so many seconds."""
    watch = HealthWatch(reports)  # type: ignore[arg-type]
    for each in (0, *seconds):
        hands.advance(seconds=each)
        known = watch.ask(timeout=30)
    return known


def test_a_store_that_cannot_be_read_is_said_with_what_was_measured_beside_the_last_good_report(
    hands: ManualClock,
) -> None:
    known = known_after(hands, 6, reports=InTurn(GOOD, unread()))
    shown = banner_of(known)
    assert [each.text for each in shown.lines] == [
        "The store gave no answer within 2.9 s; the last good reading was 6 s ago.",
        "Worker w is dead.",
    ]
    assert (shown.css, shown.age) == ("failed", "")
    assert known.report is not None
    codes = [each.code for each in known.report.findings]
    assert codes == [FindingCode.STORE, FindingCode.BROKER, FindingCode.BEATS, FindingCode.WORKER_DEAD]


def test_the_last_good_report_is_kept_however_long_the_store_cannot_be_read(hands: ManualClock) -> None:
    known = known_after(hands, 6, 600, reports=InTurn(GOOD, unread()))
    assert banner_of(known).lines[0].text.endswith("the last good reading was 10 min ago.")
    known = known_after(hands, 6, 600, reports=InTurn(GOOD, unread(), GOOD))
    assert [each.text for each in banner_of(known).lines] == ["Worker w is dead."]


def test_before_any_good_reading_what_was_measured_stands_alone(hands: ManualClock) -> None:
    known = known_after(hands, reports=InTurn(unread()))
    assert [each.text for each in banner_of(known).lines] == ["The store gave no answer within 2.9 s."]
    of_another = known_after(hands, reports=InTurn(unread(None)))
    assert [each.text for each in banner_of(of_another).lines] == ["The store does not answer."]


def test_a_report_that_does_not_come_leaves_the_last_one_with_its_age_and_is_unknown_after_a_while(
    hands: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = SlowReports()
    reports.may_come.set()
    watch = HealthWatch(reports)  # type: ignore[arg-type]
    watch.ask(timeout=30)
    reports.may_come.clear()
    hands.advance(seconds=12)
    shown = banner_of(watch.ask(timeout=0))
    assert (shown.css, shown.age) == ("ok", "12 s")
    hands.advance(seconds=10)
    shown = banner_of(watch.ask(timeout=0))
    assert [each.text for each in shown.lines] == [
        "Health unknown. No report came within 10.0 s: the store or the broker is slow. "
        "The last report is 22 s old."
    ]
    reports.may_come.set()


def test_the_health_page_the_api_and_probes_keep_the_last_report_of_a_store_that_is_slow(
    hands: ManualClock,
) -> None:
    measured = "the store answers too slowly: to read the counts of runs took 2 s, and a report has 2 s"
    client = create_app(InTurn(GOOD, unread(measured)), users={"admin": QUICK_HASH}).test_client()
    client.get(f"{BASE}/healthz")
    hands.advance(seconds=70)
    page = text_in(client.get(f"{BASE}/health", headers=LOGIN).text)
    for words in (
        f"{measured}; the last good reading was 1 min 10 s ago",
        "2 findings, as of 1 min 10 s ago",
        "worker w is dead",
        "Beat b is alive",
    ):
        assert words in page
    answer = client.get(f"{BASE}/api/v1/health", headers=LOGIN).json
    assert answer is not None
    assert (answer["severity"], answer["age"], answer["at"]) == ("failed", 70.0, "2026-01-15T12:00:00Z")
    assert answer["findings"][0]["text"] == f"{measured}; the last good reading was 1 min 10 s ago"
    assert "secret" not in page + str(answer)
    assert client.get(f"{BASE}/readyz").status_code == 503
    assert client.get(f"{BASE}/healthz").json == {
        "status": "failed", "findings": ["store", "worker_dead"], "age": 70.0,
    }  # fmt: skip
