"""The values of an address's filters, checked one by one."""

from collections.abc import Callable, Collection

from tickerq_celery import TickerType
from tickerq_dashboard import texts
from tickerq_dashboard.show.statuses import PUBLISHED, SLUGS

PUBLISHED_SLUG = PUBLISHED.css
# What is said where one is asked for, and where one is not.
YES_OR_NO = {
    "is_published": ("published", "not published"),
    "is_late": ("only late", "only on time"),
    "outcome_known": ("with a known outcome", "with an unknown outcome"),
}
TYPE_SLUGS = {"time": TickerType.TIME_TICKER, "cron": TickerType.CRON_TICKER_OCCURRENCE}


def without_nul(text: str) -> str:
    """Return a text without blanks around it; one with a NUL is refused."""
    # PostgreSQL cannot compare with a NUL.
    if "\0" in text:
        raise ValueError("a text cannot have a NUL")
    return text.strip()


def statuses(slugs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the statuses that an address names, each once."""
    asked = tuple(dict.fromkeys(part for slug in slugs for part in slug.split(",") if part))
    unknown = [each for each in asked if each not in SLUGS and each != PUBLISHED_SLUG]
    if unknown:
        raise ValueError(f"a status does not exist; there are {', '.join([*SLUGS, PUBLISHED_SLUG])}")
    if PUBLISHED_SLUG in asked and len(asked) > 1:
        raise ValueError("published cannot be combined with another status")
    return asked


def each_once(values: object) -> object:
    """Return one text, or several, as those that differ."""
    given = [values] if isinstance(values, str) else values
    return tuple(dict.fromkeys(map(str, given))) if isinstance(given, tuple | list) else values


def one_of(words: Collection[str]) -> Callable[[str], str]:
    """Return what refuses a text that is none of these words."""

    def check(text: str) -> str:
        if text and text not in set(words):
            raise ValueError(f"write one of {', '.join(words)}")
        return text

    return check


def span(value: object) -> object:
    """Read a duration as the pages write it; what is none is left to pydantic, which knows ISO 8601."""
    try:
        return texts.span(value) if isinstance(value, str) else value
    except texts.Unreadable:
        return value
