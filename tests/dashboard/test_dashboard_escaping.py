"""Text from the store stays text."""

import re
from html import escape
from pathlib import Path

import tickerq_dashboard
from tests.dashboard.conftest import Visitor
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.seeds import Seeds
from tickerq_celery import TickerStatus, TickerType


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
        tags=[HOSTILE],
        request=b'{"<svg onload=x>": "</pre><script>x</script>"}',
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
        tags=[HOSTILE],
        unique_key=HOSTILE,
        type=int(TickerType.CRON_TICKER_OCCURRENCE),
        cron_ticker_id=cron_id,
        request=b'{"<svg onload=x>": "</pre><script>x</script>"}',
    )
    seeds.attempt(run_id, exception_type=HOSTILE, exception_message=HOSTILE, traceback=HOSTILE, node=HOSTILE)
    job = seeds.tickerq.bulk.start("retry", tag=HOSTILE[:50], reason=HOSTILE, by=HOSTILE)
    for path in ("/", "/runs", f"/runs/{run_id}", "/crons", f"/crons/{cron_id}", "/bulk", f"/bulk/{job.id}"):
        page = visitor.get(path).text
        assert escape(HOSTILE, quote=False).split('"')[0] in page, path
        for tag in ("<img/src", "<svg onload", "</textarea>", "<script>x"):
            assert tag not in page, path
        assert "{{7*7}}" in page
    run_page = visitor.get(f"/runs/{run_id}").text
    assert run_page.count("&lt;img/src/onerror=x&gt;") >= 12
    echoed = visitor.get('/runs?function="><svg onload=x>').text
    assert "<svg onload" not in echoed
    assert 'value="&#34;&gt;&lt;svg onload=x&gt;"' in echoed


def shipped_texts() -> list[Path]:
    package = Path(tickerq_dashboard.__file__).parent
    kinds = {".html", ".js", ".css", ".svg", ".py"}
    # What is vendored is unmodified, and only handed nodes; marks of odd characters are made in one place.
    others = {package / "show" / "visible.py"}
    files = (path for path in package.rglob("*") if path.suffix in kinds and "vendor" not in path.parts)
    return [path for path in files if path not in others]


def test_what_is_shipped_cannot_make_markup_of_text_or_leave_the_machine() -> None:
    forbidden = re.compile(
        r"\|\s*safe\b|Markup\(|autoescape false|innerHTML|outerHTML|insertAdjacentHTML"
        r"|document\.write|\beval\(|\sstyle=|\son[a-z]+=|@import|sourceMappingURL|(?:src|href|url)\W{1,3}(?:https?:)?//"
    )
    files = shipped_texts()
    assert len(files) > 15
    for path in files:
        assert not forbidden.search(path.read_text(encoding="utf-8")), path
