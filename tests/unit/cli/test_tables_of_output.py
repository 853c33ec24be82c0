"""Tables for people, drawn by rich or plain, and documents for programs."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tickerq_celery.cli import output as outputs
from tickerq_celery.cli.output import Format, Output
from tickerq_celery.cli.progress import progress
from tickerq_celery.cli.tables import Column, plain_lines
from tickerq_celery.views import Page

LONG = "all that a person has written about it, and that is more than a terminal is wide " * 2
COLUMNS: list[Column[str]] = [
    Column("WORD", str, lambda word: "red" if word == "b" else None),
    Column("LENGTH", lambda word: str(len(word)), is_number=True),
    Column("NOTE", lambda word: LONG if word == "b" else "[bold]as it is[/bold]", folds=True),
]


def be_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let standard output be one; called by the test itself, since what a fixture sees is another object."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")


def test_a_pipe_gets_plain_aligned_lines_without_colours_and_nothing_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output().listing(["a", "b"], COLUMNS, empty="none")
    assert capsys.readouterr().out.splitlines() == [
        "WORD  LENGTH  NOTE",
        "a          1  [bold]as it is[/bold]",
        f"b          1  {LONG.strip()}",
    ]


@pytest.mark.parametrize("has_rich", [True, False])
def test_a_terminal_shows_all_of_each_cell_in_colours_where_rich_is_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, has_rich: bool
) -> None:
    be_a_narrow_terminal(monkeypatch)
    if not has_rich:
        monkeypatch.setattr(outputs, "find_spec", lambda name: None)
    Output().listing(["a", "b"], COLUMNS, empty="none")
    shown = capsys.readouterr().out
    assert ("\x1b[31m" in shown) is has_rich
    assert "[bold]as it is[/bold]" in shown
    assert all(word in shown for word in LONG.split())
    assert max(len(line) for line in shown.splitlines() if "\x1b" not in line) <= 60


def test_titles_stand_once_however_many_portions_there_are() -> None:
    lines = list(plain_lines(COLUMNS[:2], ["x" * (number // 100 + 1) for number in range(250)]))
    assert [line for line in lines if "WORD" in line] == lines[:1]
    assert len(lines) == 251


def test_rich_draws_titles_once_and_columns_below_one_another(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    be_a_narrow_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    Output().listing(["x" * (9 - number // 100) for number in range(250)], COLUMNS, empty="none")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 251
    assert {line.index("[bold]") for line in lines[1:]} == {lines[0].index("NOTE")}


def test_a_list_without_items_says_so_to_people_and_is_an_empty_list_to_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output().listing([], COLUMNS, empty="no words")
    assert capsys.readouterr().out == "no words\n"
    Output(format=Format.JSON).listing([], COLUMNS, empty="no words")
    assert json.loads(capsys.readouterr().out) == {"items": []}
    Output(format=Format.JSONL).listing([], COLUMNS, empty="no words")
    assert capsys.readouterr().out == ""


def test_the_cursor_is_in_the_document_and_beside_a_table_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = Page(("a", "b"), next_cursor="abc")
    Output(format=Format.JSON).listing(page, COLUMNS, empty="")
    assert json.loads(capsys.readouterr().out) == {"items": ["a", "b"], "next_cursor": "abc"}
    Output().listing(page, COLUMNS, empty="")
    said = capsys.readouterr()
    assert (len(said.out.splitlines()), said.err) == (3, "there are more: --cursor abc\n")


def test_items_are_written_as_they_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    def words() -> Iterator[str]:
        for word in "ab":
            yield word
            seen.append(capsys.readouterr().out)

    Output(format=Format.JSONL).listing(words(), COLUMNS, empty="")
    assert seen == ['"a"\n', '"b"\n']


def test_people_alone_get_lines_and_details(capsys: pytest.CaptureFixture[str]) -> None:
    def write(output: Output) -> None:
        output.line("said")
        output.details({"name": "Send", "none": None, "long": "one\ntwo"})

    write(Output(format=Format.JSON))
    assert capsys.readouterr().out == ""
    write(Output())
    assert capsys.readouterr().out == "said\nname  Send\nlong  one\n      two\n"


@pytest.mark.parametrize("is_watched", [True, False])
def test_progress_shows_on_a_terminal_once_the_work_takes_over_a_second(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_watched: bool
) -> None:
    seconds = 100.0
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_watched)
    monkeypatch.setattr("tickerq_celery.cli.progress.time.monotonic", lambda: seconds)
    with progress("exported", 200) as shown:
        shown.advance(50)
        assert capsys.readouterr().err == ""
        seconds += 1.5
        shown.advance(50)
        said: Any = capsys.readouterr().err
        assert ("exported: [###############               ]  50%  100 of 200" in said) is is_watched
        shown.advance(50)
        assert capsys.readouterr().err == ""  # not more often than people can read
    assert capsys.readouterr().err == ("\r\x1b[K" if is_watched else "")


def test_plain_columns_fold_below_one_another_and_keep_room_for_words() -> None:
    lines = list(plain_lines(COLUMNS, ["a", "b"], 60))
    notes = [line[lines[0].index("NOTE") :] for line in lines[2:]]
    assert " ".join(notes).split() == LONG.split()
    assert {line[: lines[0].index("NOTE")].strip() for line in lines[3:]} == {""}
    assert min(map(len, list(plain_lines(COLUMNS, ["b"], 10))[1:-1])) > 24


def test_a_cell_of_one_long_word_is_folded_and_nothing_of_it_is_lost() -> None:
    column: Column[str] = Column("NOTE", lambda word: word * 40, folds=True)
    assert "".join(list(plain_lines([column], ["abc"], 30))[1:]) == "abc" * 40
