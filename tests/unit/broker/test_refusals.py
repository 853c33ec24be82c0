"""What is kept of the words in which a broker takes no message."""

import pytest
from kombu import Connection

from tickerq_celery.broker.refusals import refusal_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'", None),
        ("to redis://ann:p/w@x@broker:6379/0, now", "to redis://***@broker:6379/0, now"),
        ("sentinel://:secret@a:1;sentinel://b:2", "sentinel://***@a:1;sentinel://b:2"),
        ("ask ops@example.com", None),
        # Its end would be cut off, and with it the sign by which it is known.
        (f"MOVED to redis://ann:{'p' * 200}@broker", "MOVED to redis://***@broker"),
    ],
)
def test_its_words_are_without_the_users_and_passwords_of_urls(text: str, shown: str | None) -> None:
    found = refusal_of(RuntimeError(text), Connection("memory://"), 5.0)
    assert found == f"refused messages: {text if shown is None else shown}"
