from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thoroughness import examples
from tests.unit.schedule.sentence_reader import read
from tickerq_celery.errors import InvalidCronError
from tickerq_celery.schedule.cron_expression import CronSchedule
from tickerq_celery.schedule.grammar import ALIASES
from tickerq_celery.schedule.sentence import cron_sentence, sentence_of

COUNT, YEARS = 50, 400

SENTENCES = [
    ("* * * * *", "Every minute"),
    ("* * * * * *", "Every second"),
    ("@hourly", "Every hour"),
    ("@daily", "At 00:00"),
    ("@yearly", "At 00:00, on day 1 of the month, in January"),
    ("*/5 * * * *", "Every 5 minutes"),
    ("*/15 * * * * *", "Every 15 seconds"),
    ("0 */4 * * *", "Every 4 hours"),
    ("0 */12 * * *", "At 00:00 and 12:00"),
    ("30 * * * *", "At minute 30 of every hour"),
    ("5 * * * * *", "At second 5 of every minute"),
    ("5,35 * * * * *", "At seconds 5 and 35 of every minute"),
    # No interval: the last step of an hour is shorter.
    ("*/7 * * * *", "Every 7th minute from 0 to 56 of every hour"),
    ("5-59/15 * * * *", "Every 15 minutes from 00:05 to 23:50"),
    ("*/5 9-17 * * *", "Every 5 minutes from 09:00 to 17:55"),
    ("*/5 8,10,13 * * *", "Every 5 minutes of hours 8, 10 and 13"),
    ("0 9-17 * * *", "Every hour from 09:00 to 17:00"),
    ("0 1-3,5,7,11,13 * * *", "At minute 0 of hours 1 to 3, 5, 7, 11 and 13"),
    ("* * 9,11 * * *", "Every second of hours 9 and 11"),
    ("*/20 30 2 28 3 *", "At 02:30:00, 02:30:20 and 02:30:40, on day 28 of the month, in March"),
    ("0 9 * * MON-FRI", "At 09:00, on Monday to Friday"),
    ("0 9 * * 0,6", "At 09:00, on Saturday and Sunday"),
    ("0 9 * * FRI-MON", "At 09:00, on Monday and Friday to Sunday"),
    ("0 9 L * ?", "At 09:00, on the last day of the month"),
    ("0 9 LW,15W * *", "At 09:00, on the last workday and the workday nearest to day 15 of the month"),
    ("0 9 L,3 * *", "At 09:00, on day 3 and the last day of the month"),
    ("0 9 W15,1W,L * *", "At 09:00, on the last day and the workdays nearest to days 1 and 15 of the month"),
    ("0 9 * * 5L", "At 09:00, on the last Friday of the month"),
    ("0 9 * * L5", "At 09:00, on the last Friday of the month"),
    ("0 9 * * FRIL,1#1", "At 09:00, on the first Monday and the last Friday of the month"),
    ("0 9 * * MON-TUE#5", "At 09:00, on the fifth Monday and the fifth Tuesday of the month"),
    ("0 0 * JAN-MAR,6 *", "At 00:00, in January to March and June"),
    ("0 9 */2 * *", "At 09:00, on every 2nd day from 1 to 31 of the month"),
    ("0 9 2-31/3 * *", "At 09:00, on every 3rd day from 2 to 29 of the month"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "sentence"), SENTENCES)
def test_an_expression_is_said_in_words(expression: str, sentence: str) -> None:
    assert sentence_of(expression, day_or=False) == sentence


BOTH_DAYS = [
    ("0 9 13 * FRI", "on day 13 of the month if it is a Friday", "on day 13 of the month or on Friday"),
    (
        "0 9 1,15 * 2,4-6",
        "on days 1 and 15 of the month if it is a Tuesday or a day from Thursday to Saturday",
        "on days 1 and 15 of the month or on Tuesday and Thursday to Saturday",
    ),
    (
        "0 9 1-10 * FRI#2",
        "on days 1 to 10 of the month if it is the second Friday",
        "on days 1 to 10 of the month or on the second Friday of the month",
    ),
    # One that begins with a star never lets either do.
    *[
        ("0 9 */15 * FRI", said, said)
        for said in ["on days 1, 16 and 31 of the month if it is a Friday"]
    ],
    # All of one are enough where either is.
    ("0 9 1-31 * FRI", "on Friday", ""),
    ("0 9 13 * 0-6", "on day 13 of the month", ""),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "both", "either"), BOTH_DAYS)
def test_two_day_fields_are_said_as_they_combine(expression: str, both: str, either: str) -> None:
    for said, day_or in ((both, False), (either, True)):
        assert sentence_of(expression, day_or=day_or) == ", ".join(filter(None, ["At 09:00", said]))


def test_an_interval_is_said_in_all_of_its_units() -> None:
    assert sentence_of("@every 1h30m", day_or=False) == "Every 1 h 30 min"


@pytest.mark.parametrize("expression", ["nonsense", "@every never", "0 9 1,,2 * *"])
def test_what_cannot_be_read_stands_for_itself(expression: str) -> None:
    assert sentence_of(expression, day_or=False) == expression


def test_one_that_no_day_matches_is_said_all_the_same() -> None:
    assert sentence_of("0 0 30 2 *", day_or=False) == "At 00:00, on day 30 of the month, in February"


def terms(low: int, high: int) -> st.SearchStrategy[str]:
    """A number, a range that may wrap round, and steps over a range or all."""
    number = st.integers(low, high)
    return st.one_of(
        number.map(str),
        st.tuples(number, number).map(lambda it: f"{it[0]}-{it[1]}"),
        st.tuples(number, number, st.integers(1, 9)).map(lambda it: f"{it[0]}-{it[1]}/{it[2]}"),
        st.tuples(number, st.integers(1, high)).map(lambda it: f"{it[0]}/{it[1]}"),
    )


def listed(term: st.SearchStrategy[str], most: int = 4) -> st.SearchStrategy[str]:
    return st.lists(term, min_size=1, max_size=most).map(",".join)


def stepped(high: int) -> st.SearchStrategy[str]:
    return st.just("*") | st.integers(1, high).map(lambda step: f"*/{step}")


DAY_NAMES = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
MONTH_NAMES = ["JAN", "FEB", "MAR", "JUN", "SEP", "DEC"]
WEEKDAY = st.integers(0, 7).map(str) | st.sampled_from(DAY_NAMES)
RANGE_OF_DAYS = st.tuples(WEEKDAY, WEEKDAY).map("-".join)
NTH = st.one_of(
    st.tuples(WEEKDAY | RANGE_OF_DAYS, st.integers(1, 5)).map(lambda it: f"{it[0]}#{it[1]}"),
    st.integers(0, 7).map(lambda day: f"L{day}"),
    WEEKDAY.map(lambda day: f"{day}L"),
)
WORKDAY = st.sampled_from(["{}W", "W{}"]).flatmap(lambda form: st.integers(1, 31).map(form.format))
EXPRESSIONS = st.one_of(
    st.sampled_from(sorted(ALIASES)),
    st.tuples(
        st.sampled_from(["", "0"]) | stepped(59) | listed(terms(0, 59)),
        st.just("0") | stepped(59) | listed(terms(0, 59)),
        st.just("9") | stepped(23) | listed(terms(0, 23)),
        st.just("?") | stepped(31) | listed(terms(1, 31) | st.sampled_from(["L", "LW"]) | WORKDAY),
        st.just("*") | stepped(12) | listed(terms(1, 12) | st.sampled_from(MONTH_NAMES)),
        st.just("?") | stepped(6) | listed(terms(0, 6) | WEEKDAY | RANGE_OF_DAYS) | listed(NTH),
    ).map(lambda fields: " ".join(filter(None, fields))),
)
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def schedules(draw: st.DrawFn) -> CronSchedule:
    try:
        return CronSchedule.parse(draw(EXPRESSIONS), time_zone="UTC", day_or=draw(st.booleans()))
    except InvalidCronError:
        return CronSchedule.parse("30 1-2 * * *", time_zone="UTC")


def by_schedule(schedule: CronSchedule, moment: datetime) -> list[datetime]:
    found: list[datetime] = []
    following = schedule.next_after(moment)
    while following is not None and following.year < moment.year + YEARS and len(found) < COUNT:
        found.append(following)
        following = schedule.next_after(following)
    return found


@examples(1_000)
@given(schedules(), MOMENTS)
def test_the_sentence_names_the_instants_that_fire(schedule: CronSchedule, moment: datetime) -> None:
    reading = read(cron_sentence(schedule.times.fields))
    assert list(islice(reading.after(moment, years=YEARS), COUNT)) == by_schedule(schedule, moment)


@pytest.mark.parametrize(
    ("expression", "day_or"),
    [(each, False) for each, _ in SENTENCES]
    + [(each, day_or) for each, *_ in BOTH_DAYS for day_or in (False, True)],
)
def test_each_form_of_a_sentence_names_the_instants_that_fire(expression: str, day_or: bool) -> None:
    schedule = CronSchedule.parse(expression, time_zone="UTC", day_or=day_or)
    moment = datetime(2024, 2, 27, 22, 58, 30, tzinfo=UTC)
    reading = read(cron_sentence(schedule.times.fields))
    assert list(islice(reading.after(moment, years=YEARS), COUNT)) == by_schedule(schedule, moment)
