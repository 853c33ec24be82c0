import threading
from datetime import UTC, datetime

import pytest

from tests.unit.functions.context_values import VALUES
from tickerq_celery import TickerContext
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.text_redaction import kept_as_it_is
from tickerq_celery.tickers.progress import (
    FULL,
    LONGEST_LINE,
    LONGEST_MESSAGE,
    MOST_CHARACTERS,
    MOST_LINES,
    Pending,
    Report,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make_report(notified: list[Report] | None = None) -> Report:
    changed = (notified if notified is not None else []).append
    return Report(lambda: NOW, changed, redact=kept_as_it_is)


def texts(pending: Pending) -> list[str]:
    return [line.text for chunk in pending.chunks for line in chunk.lines]


def test_the_last_progress_counts_and_lines_keep_their_order() -> None:
    report = make_report()
    report.progress(0.2, "begun")
    report.log("a", "INFO")
    report.progress(0.4, None)
    report.log("b", "WARNING")
    pending = report.pending()
    assert (pending.fraction, pending.message, texts(pending)) == (0.4, None, ["a", "b"])
    assert [(line.at, line.level) for line in pending.chunks[0].lines] == [(NOW, "INFO"), (NOW, "WARNING")]


def test_lines_stay_pending_in_the_same_chunk_until_they_forget_written() -> None:
    report = make_report()
    report.log("a", "INFO")
    first = report.pending()
    report.log("b", "INFO")
    second = report.pending()
    assert [(chunk.first, len(chunk.lines)) for chunk in second.chunks] == [(0, 1), (1, 1)]
    assert second.chunks[0] == first.chunks[0]
    report.forget_written(first)
    assert texts(report.pending()) == ["b"]
    report.forget_written(second)
    assert report.pending().chunks == ()


@pytest.mark.parametrize("text", ["x", "x" * LONGEST_LINE])
def test_an_attempt_leaves_so_many_lines_and_bytes_and_says_that_there_were_more(text: str) -> None:
    report = make_report()
    for _ in range(MOST_LINES + 50):
        report.log(text, "INFO")
    kept = texts(report.pending())
    fit = min(MOST_LINES, MOST_CHARACTERS // len(text))
    assert (len(kept), kept[-1]) == (fit + 1, FULL)
    report.log(text, "INFO")
    assert texts(report.pending()) == kept


def test_long_texts_are_cut_and_what_no_database_takes_is_escaped() -> None:
    report = make_report()
    report.progress(0, "m" * 999 + "\x00")
    report.log("a\x00\ud800" + "x" * 9999, "INFO")
    pending = report.pending()
    assert len(pending.message or "") == LONGEST_MESSAGE
    (line,) = texts(pending)
    assert line.startswith("a\\x00\\ud800x")
    assert len(line) == LONGEST_LINE


def test_the_writer_is_notified_of_each_change_until_the_attempt_has_ended() -> None:
    notified: list[Report] = []
    report = make_report(notified)
    report.progress(0, None)
    report.log("a", "INFO")
    assert notified == [report, report]
    report.close()
    report.log("b", "INFO")
    assert (len(notified), texts(report.pending())) == (2, ["a", "b"])


def test_lines_of_several_threads_are_all_kept() -> None:
    report = make_report()
    threads = [
        threading.Thread(target=lambda: [report.log("x", "INFO") for _ in range(200)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts(report.pending())) == 800


@pytest.mark.parametrize("fraction", [-0.1, 1.1, 40, float("nan"), float("inf"), "0.5", None, True])
def test_a_progress_that_is_no_fraction_is_refused(fraction: object) -> None:
    with pytest.raises(TickerValidationError, match="fraction: pass a number from 0 to 1"):
        TickerContext(**VALUES, request=1).report_progress(fraction)  # type: ignore[arg-type]


def test_a_context_without_an_attempt_takes_reports_and_drops_them() -> None:
    context = TickerContext(**VALUES, request=1)
    context.report_progress(sum([0.1] * 3) / 0.3, "done")
    context.log("a")
