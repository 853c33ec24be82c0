"""What is looked for is taken to the letter: no mark in it stands for other letters, on any database."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode

from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.actions.forms import Person
from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery import TickerStatus
from tickerq_dashboard import create_app

# Each with what it would find as well, were it a pattern of LIKE, of GLOB or of a regular expression.
LITERAL = {"a%c": "abbc", "a_c": "abc", r"a\%c": "a%c", "a*c": "aac", "a?c": "abc", "a.c": "abc"}
# Each filter of a list of runs, and the column by which it finds.
OF_RUNS = {
    "function": "function",
    "function_prefix": "function",
    "queue": "queue",
    "node": "ended_on",
    "error_type": "exception_type",
    "error": "exception_message",
    "unique_key": "unique_key",
    "concurrency_key": "concurrency_key",
}


def columns(text: str) -> dict[str, Any]:
    """The columns of a run, all with a text."""
    return {**dict.fromkeys(OF_RUNS.values(), text), "tags": [text]}


def found(person: Person, path: str, **words: str) -> set[str]:
    """The ids to which a list that is filtered leads."""
    page = person.get(f"{path}?{urlencode(words)}")
    assert page.status_code == 200, (path, words)
    return set(re.findall(rf"{path.strip('/')}/([0-9a-f-]{{36}})", page.text))


def test_no_filter_takes_a_letter_for_a_pattern(store: Seeds) -> None:
    texts = sorted({*LITERAL, *LITERAL.values()})
    runs: Mapping[str, str] = {
        text: str(store.run(status=TickerStatus.FAILED, **columns(text))) for text in texts
    }
    crons = {text: str(store.cron(function=text, tags=[text])) for text in texts}
    # Functions that are waited for are listed, too.
    for text in texts:
        store.run(function=text, execution_time=NOW.replace(year=2099), due_at=NOW.replace(year=2099))
    person = Person(create_app(store.tickerq, auth=by_role, secret=SECRET).test_client(), "viewer")
    for text, other in LITERAL.items():
        for name in (*OF_RUNS, "tag"):
            ids = found(person, "/runs", **{name: text})
            assert runs[text] in ids, (name, text)
            assert runs[other] not in ids, (name, text)
        for name in ("prefix", "tag"):
            ids = found(person, "/crons", **{name: text})
            assert crons[text] in ids, (name, text)
            assert crons[other] not in ids, (name, text)
        for path, name in (("/functions", "prefix"), ("/find", "q")):
            page = person.get(f"{path}?{urlencode({name: text})}").text
            names = set(map(unquote, re.findall(r'/functions/([^"/]*)"', page)))
            assert text in names, (path, text)
            assert other not in names, (path, text)
