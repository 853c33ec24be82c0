from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.unit.schedule.calls import calls_of
from tickerq_celery.errors import InvalidCronError, TickerValidationError
from tickerq_celery.schedule.preview import explain, preview

NEW_YORK = "America/New_York"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def notes(expression: str, after: str, count: int, zone: str = NEW_YORK) -> list[tuple[str, str | None]]:
    found = explain(expression, time_zone=zone, after=at(after), count=count)
    return [(f"{each.local:%m-%d %H:%M %z}", each.note) for each in found.upcoming]


GAP = "the clocks skip 02:00 to 03:00 on 2025-03-09"
FOLD = "the clocks repeat 01:00 to 02:00 on 2025-11-02"


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        (
            "30 2 * * *",
            "2025-03-08T12:00",
            [
                ("03-09 03:00 -0400", f"{GAP}: what falls into it runs once, at the first valid instant"),
                ("03-10 02:30 -0400", None),
            ],
        ),
        (
            "*/30 2 * * *",
            "2025-03-08T12:00",
            [
                ("03-10 02:00 -0400", f"{GAP}: what falls into it does not run"),
                ("03-10 02:30 -0400", None),
            ],
        ),
        (
            "30 1 * * *",
            "2025-11-01T12:00",
            [
                ("11-02 01:30 -0400", f"{FOLD}: it runs in the first pass only"),
                ("11-03 01:30 -0500", None),
            ],
        ),
        (
            "*/30 1 * * *",
            "2025-11-02T05:10",
            [
                ("11-02 01:30 -0400", f"{FOLD}: this is the first pass, and it runs in both"),
                ("11-02 01:00 -0500", f"{FOLD}: this is the second pass, and it runs in both"),
            ],
        ),
        ("0 9 * * *", "2025-03-08T18:00", [("03-09 09:00 -0400", None)]),
        ("0 3 * * *", "2025-03-08T18:00", [("03-09 03:00 -0400", None)]),
        ("@every 1h", "2025-03-09T06:30", [("03-09 03:30 -0400", None)]),
    ],
)
def test_an_instant_says_what_the_clocks_did_to_it(
    expression: str, after: str, expected: list[tuple[str, str | None]]
) -> None:
    assert notes(expression, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "day_or", "warning"),
    [
        ("0 0 30 2 *", False, "never fires: no day"),
        ("0 9 13 * FRI", False, "both day fields are set: it fires only on days that match both"),
        ("0 9 13 * FRI", True, "both day fields are set: it fires on days that match either"),
        ("0 9 */2 * FRI", False, "both day fields are set: it fires only on days that match both"),
        (
            "0 9 */2 * FRI",
            True,
            "both day fields are set, and one begins with a star: as in Unix it fires only",
        ),
        (
            "0 9 13 * */2",
            True,
            "both day fields are set, and one begins with a star: as in Unix it fires only",
        ),
        ("* * * * * *", False, "fires in seconds that follow"),
        ("0,1 0 9 * * *", False, "fires in seconds that follow"),
        ("@every 1s", False, "fires in seconds that follow"),
        ("*/5 2 * 3 SUN#2", False, "never fires any more"),
    ],
)
def test_a_warning_says_what_its_writer_may_not_expect(expression: str, day_or: bool, warning: str) -> None:
    found = explain(expression, time_zone=NEW_YORK, after=at("2025-01-01"), day_or=day_or)
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(warning)
    assert bool(found.upcoming) is not warning.startswith("never")


@pytest.mark.parametrize("expression", ["0 9 * * FRI", "0 9 */2 * *", "0 9 */1 * FRI", "0 9 ? * FRI#2"])
@pytest.mark.parametrize("day_or", [False, True])
def test_one_day_field_alone_is_no_warning(expression: str, day_or: bool) -> None:
    assert explain(expression, after=at("2025-01-01"), day_or=day_or).warnings == ()


@pytest.mark.parametrize("expression", ["* * * * * *", "@every 1s", "59,0 * * * * *"])
def test_a_warning_does_not_depend_on_how_many_instants_are_asked_for(expression: str) -> None:
    assert len(explain(expression, after=at("2025-01-01"), count=1).warnings) == 1


@pytest.mark.parametrize("ask", [preview, explain])
@pytest.mark.parametrize("year", [1, 9999])
def test_a_moment_at_the_end_of_the_calendar_is_refused(ask: Callable[..., object], year: int) -> None:
    after = datetime(year, 1, 1, tzinfo=timezone(timedelta(hours=5 if year == 1 else -5)))
    with pytest.raises(TickerValidationError, match="after"):
        ask("0 9 * * *", after=after)


def test_a_day_or_that_is_no_flag_is_refused() -> None:
    for ask in (preview, explain):
        with pytest.raises(TickerValidationError, match="day_or"):
            ask("0 9 * * *", after=at("2025-01-01"), day_or="x")  # type: ignore[operator]


def test_what_never_fires_is_explained_without_a_search_through_the_calendar() -> None:
    assert calls_of(lambda: explain("0 0 31 2,4,6,9,11 *", after=at("2025-01-01"))) < 20_000
    assert explain("0 0 31 2,4,6,9,11 *", after=at("2025-01-01")).upcoming == ()


@pytest.mark.parametrize(
    "expression", ["0 9 * * *", "@daily", "@every 2s", "*/2 * * * * *", "0 0 1 * *", "59,0 5 * * * *"]
)
def test_an_ordinary_expression_has_no_warning(expression: str) -> None:
    assert explain(expression, after=at("2025-01-01")).warnings == ()


def test_an_explanation_has_the_instants_of_a_preview() -> None:
    found = explain("*/7 1-3 * * *", time_zone=NEW_YORK, after=at("2025-11-02T00:00"), count=40)
    expected = preview("*/7 1-3 * * *", time_zone=NEW_YORK, after=at("2025-11-02T00:00"), count=40)
    assert [each.instant for each in found.upcoming] == expected
    assert [each.local.astimezone(UTC) for each in found.upcoming] == expected
    assert (found.expression, found.time_zone) == ("*/7 1-3 * * *", NEW_YORK)


def test_a_preview_of_an_interval_counts_from_the_moment_that_it_comes_after() -> None:
    assert preview("@every 90s", after=at("2025-01-01"), count=2) == [
        at("2025-01-01T00:01:30"),
        at("2025-01-01T00:03:00"),
    ]


def test_an_expression_that_cannot_be_parsed_is_an_error() -> None:
    with pytest.raises(InvalidCronError, match="minute: '60'"):
        explain("60 * * * *", after=at("2025-01-01"))
    with pytest.raises(InvalidCronError, match="never fires"):
        preview("0 0 30 2 *", after=at("2025-01-01"))
    with pytest.raises(TickerValidationError, match="time_zone"):
        explain("@every 5m", time_zone="Mars/Base", after=at("2025-01-01"))
    with pytest.raises(TickerValidationError, match="count"):
        explain("@daily", after=at("2025-01-01"), count=0)
