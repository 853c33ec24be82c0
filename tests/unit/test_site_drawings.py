"""What the site draws is what the code does: the drawings are written from data that is compared with it."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from site_drawings import CLAIM_STEPS, DRAWINGS, ENDS, FOLDER, MISFIRES, OVERLAPS, RUN_MOVES
from site_terminal import COLUMNS, LONGEST_PAUSE, Line, drawn, shown

from tests.pages import ROOT, section, text_of
from tickerq_celery.enums import TERMINAL, MisfirePolicy, OverlapPolicy
from tickerq_celery.tickers.lifecycle import _TRANSITIONS

# A colour of a style sheet: it has one in each of its schemes.
COLOURS = re.compile(r"--([a-z]+): #")
PICTURE = re.compile(r"!\[(?P<words>[^\]]*)\]\([^)]*?(?P<name>[\w-]+\.svg)\)")


def test_the_life_of_a_run_has_the_moves_of_the_code() -> None:
    drawn_moves = {(move.before, after) for move in RUN_MOVES for after in move.after}
    assert drawn_moves == {
        (str(before), str(after)) for before, all_ in _TRANSITIONS.items() for after in all_
    }
    assert set(ENDS) == set(map(str, TERMINAL))


def test_the_life_of_a_claim_has_the_steps_of_the_protocol() -> None:
    steps = re.findall(
        r"^\d\. \*\*(\w+)\.\*\*", section("docs/how-it-works/protocol.md", "## The life of a run"), re.M
    )
    assert [word for word, *_ in CLAIM_STEPS] == steps


def test_the_life_of_a_cron_ticker_has_every_policy() -> None:
    assert list(MISFIRES) == list(MisfirePolicy)
    assert list(OVERLAPS) == list(OverlapPolicy)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_stored_drawing_is_what_its_data_says(name: str) -> None:
    assert (FOLDER / f"{name}.svg").read_text() == str(DRAWINGS[name]()), "make drawings writes them anew"


@pytest.mark.parametrize("name", [*DRAWINGS, "demo"])
def test_a_drawing_is_well_formed_and_says_its_content_in_words(name: str) -> None:
    svg = ElementTree.fromstring((FOLDER / f"{name}.svg").read_text())
    texts = {child.tag.rpartition("}")[2]: child.text or "" for child in svg}
    assert svg.get("role") == "img"
    assert texts["title"]
    assert len(texts["desc"]) > 100


def test_a_drawing_has_each_colour_for_a_light_and_for_a_dark_page() -> None:
    for draw in DRAWINGS.values():
        light, _, dark = str(draw()).partition("prefers-color-scheme: dark")
        assert COLOURS.findall(light) == COLOURS.findall(dark.partition("</style>")[0])


def test_every_picture_on_a_page_has_words() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown_pictures = {
        found["name"]: found["words"]
        for page in pages
        for found in PICTURE.finditer(text_of(page.relative_to(ROOT).as_posix()))
    }
    assert {f"{name}.svg" for name in [*DRAWINGS, "demo"]} <= set(shown_pictures)
    assert all(shown_pictures.values())


def test_a_recording_leaves_out_long_pauses_and_wraps_long_lines() -> None:
    told = [
        Line(at=0.0, text="$ make demo"),
        Line(at=1.0, text="[web]    tickers: store sqlite:///x"),
        Line(at=60.0, text="[mail]   refused the first delivery, " + "to someone " * 9),
    ]
    lines = list(shown(told))
    assert lines[0].text == "$ make demo"
    assert len(lines) == 3
    assert all(len(line.text) <= COLUMNS for line in lines)
    assert lines[-1].at == pytest.approx(1.0 + LONGEST_PAUSE)
    # What is wrapped keeps the colour of its first line.
    assert drawn(lines).count('class="line refused"') == 2
