"""The buttons of a head: which are in its row, and which in the menu beside it."""

import pytest

from tickerq_dashboard.show.heads import Button, head_of


def button(slug: str) -> Button:
    return Button(slug=slug, word=slug, route=slug, is_dangerous=slug in {"delete", "terminate"})


@pytest.mark.parametrize(
    ("offered", "main", "row", "menu"),
    [
        ("clone delete retry", "retry", "clone retry", "delete"),
        # The main one is the last, whichever it is.
        ("clone delete retry", "clone", "retry clone", "delete"),
        ("clone delete retry", None, "clone retry", "delete"),
        ("clone delete retry", "resume", "clone retry", "delete"),
        ("clone edit delete cancel run-now", "run-now", "cancel run-now", "clone edit delete"),
        ("clone terminate cancel", None, "clone cancel", "terminate"),
        ("clone cancel mark-failed release", "release", "mark-failed release", "clone cancel"),
        ("delete cancel clone edit", None, "clone edit", "cancel delete"),
        ("delete", None, "", "delete"),
        ("clone", None, "clone", ""),
        ("", None, "", ""),
    ],
)
def test_the_row_has_two_of_which_the_main_one_is_last_and_what_brings_nothing_back_is_in_the_menu(
    offered: str, main: str | None, row: str, menu: str
) -> None:
    head = head_of([button(slug) for slug in offered.split()], main=main, most=2)
    assert [each.slug for each in head.row] == row.split()
    assert [each.slug for each in head.menu] == menu.split()
