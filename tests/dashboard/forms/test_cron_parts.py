"""The fields of a cron expression beside its text: which of both counts, and that they say the same."""

import pytest

from tests.dashboard.actions.forms import Person
from tests.dashboard.forms.filling import fields_of, fill, press
from tests.dashboard.seeds import Seeds
from tickerq_dashboard.forms.cron_parts import in_step, parts_of

NEW = "/crons/new"
NAMES = ("cron_second", "cron_minute", "cron_hour", "cron_day", "cron_month", "cron_weekday")


def sent(expression: str, made_of: str, *fields: str) -> dict[str, str]:
    return {"expression": expression, "cron_of": made_of, **dict(zip(NAMES, fields, strict=True))}


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("0 9 * * 1-5", ["", "0", "9", "*", "*", "1-5"]),
        (" 30  0 9 * * MON ", ["30", "0", "9", "*", "*", "MON"]),
        ("@daily", [""] * 6),
        ("0 9 *", [""] * 6),
        ("", [""] * 6),
    ],
)
def test_an_expression_has_its_fields_or_none(expression: str, fields: list[str]) -> None:
    assert [each.text for each in parts_of(expression)] == fields
    assert [each.name for each in parts_of(expression)] == list(NAMES)


@pytest.mark.parametrize(
    ("given", "means"),
    [
        (sent("0 9 * * *", "0 9 * * *", "", "30", "9", "*", "*", "*"), "30 9 * * *"),
        (sent("0 9 * * *", "0 9 * * *", "15", "0", "9", "*", "*", "*"), "15 0 9 * * *"),
        (sent("0 9 * * *", "0 9 * * *", "", "0", "", "", "", "1, 2"), "0 * * * 1,2"),
        # The text was changed as well, or alone.
        (sent("0 8 * * *", "0 9 * * *", "", "30", "9", "*", "*", "*"), "0 8 * * *"),
        (sent("0 8 * * *", "0 9 * * *", "", "0", "9", "*", "*", "*"), "0 8 * * *"),
        # Nothing was changed.
        (sent("0  9 * * *", "0 9 * * *", "", "0", "9", "*", "*", "*"), "0  9 * * *"),
        (sent("@daily", "@daily", "", "", "", "", "", ""), "@daily"),
        (sent("@daily", "@daily", "", "0", "9", "", "", ""), "0 9 * * *"),
        (sent("0 9 * * *", "0 9 * * *", "", "", "", "", "", ""), "0 9 * * *"),
        ({"expression": "0 9 * * *"}, "0 9 * * *"),
    ],
)
def test_what_the_sender_changed_counts_and_the_text_before_its_fields(
    given: dict[str, str], means: str
) -> None:
    assert in_step(given) == {"expression": means}


def test_a_review_brings_text_and_fields_in_step(admin: Person, seeds: Seeds) -> None:
    page = admin.get(NEW).text
    assert 'class="cronparts"' in page
    changed = {**fields_of(page), "function": "clean_up", "cron_minute": "45", "cron_weekday": "1-5"}
    shown = fields_of(press(admin, NEW, changed, step="review").text)
    assert (shown["expression"], shown["cron_of"]) == ("45 9 * * 1-5", "45 9 * * 1-5")
    assert (shown["cron_minute"], shown["cron_hour"]) == ("45", "9")
    typed = fields_of(press(admin, NEW, {**shown, "expression": "@hourly"}, step="review").text)
    assert (typed["expression"], typed["cron_minute"]) == ("@hourly", "")
    preset = fields_of(press(admin, NEW, typed, step="preset:*/5 * * * *").text)
    assert (preset["cron_minute"], preset["cron_hour"]) == ("*/5", "*")


def test_fields_alone_are_stored_and_an_edit_of_one_is_an_edit_of_the_expression(
    admin: Person, seeds: Seeds
) -> None:
    made = fill(admin, NEW, {"function": "clean_up", "time_zone": "UTC", "cron_hour": "7"})
    assert made.status_code == 303
    [cron] = seeds.tickerq.cron_tickers.find()
    assert cron.expression == "0 7 * * *"
    assert fill(admin, f"/crons/{cron.id}/edit", {"cron_minute": "20"}).status_code == 303
    assert seeds.tickerq.cron_tickers.get(cron.id).expression == "20 7 * * *"
    assert fill(admin, f"/crons/{cron.id}/edit", {"retries": "2"}).status_code == 303
    assert seeds.tickerq.cron_tickers.get(cron.id).expression == "20 7 * * *"
