"""The hook for texts: what it fails on is not kept, and said nowhere."""

import logging

import pytest

from tickerq_celery.payload.text_redaction import REDACTION_FAILED, TextRedaction, is_redacting

SECRET = "hunter2"


def test_a_text_is_what_the_hook_makes_of_it() -> None:
    redact = TextRedaction(lambda text: text.replace(SECRET, "…"))
    assert redact(f"password {SECRET} refused") == "password … refused"


@pytest.mark.parametrize("how", ["raises", "returns nothing", "returns bytes"])
def test_a_hook_that_fails_leaves_a_sentence_and_one_line_of_log(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    def hook(text: str) -> object:
        if how == "raises":
            raise KeyError(text)
        return None if how == "returns nothing" else text.encode()

    redact = TextRedaction(hook)  # type: ignore[arg-type]  # a user's mistake
    with caplog.at_level(logging.DEBUG):
        assert [redact(f"{SECRET} {number}") for number in range(3)] == [REDACTION_FAILED] * 3
    (line,) = caplog.records
    assert (line.levelname, SECRET in line.getMessage(), line.exc_info) == ("ERROR", False, None)
    assert line.getMessage().startswith("redact_text r")


def test_what_the_hook_itself_has_kept_is_not() -> None:
    kept: list[str] = []

    def hook(text: str) -> str:
        assert is_redacting()
        kept.append(redact(text))
        return "redacted"

    redact = TextRedaction(hook)
    assert (redact(SECRET), kept, is_redacting()) == ("redacted", [REDACTION_FAILED], False)
