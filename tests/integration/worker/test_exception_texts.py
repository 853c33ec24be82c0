"""Whatever text an exception carries, its attempt can be stored."""

import pytest

from tests.inner import Core, Failure, failed
from tests.integration.making import attempts_of, enrolled, failure, finish, make_run, row_of, started


@pytest.fixture
def core(core: Core) -> Core:
    """A core whose function a live worker has."""
    return enrolled(core)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b", "a\\x00b"),
        ("a\ud800b", "a\\ud800b"),
        ("naïve 🦊", "naïve 🦊"),
        ("x" * 20_000, "x" * 16_383 + "…"),
        ("🦊" * 16_384, "🦊" * 16_384),
    ],
    ids=["NUL", "surrogate", "emoji", "too long", "longest"],
)
def test_any_text_of_an_exception_can_be_stored(core: Core, text: str, stored: str) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    finish(core, run, failed(run.standing, failure(text)))
    (attempt,) = attempts_of(core, run_id)
    assert row_of(core, run_id).exception_message == attempt.exception_message == stored
    assert attempt.traceback.startswith("Traceback: ")


def test_a_long_traceback_keeps_its_head_and_its_end_where_the_error_stands(core: Core) -> None:
    run_id = make_run(core)
    run = started(core, run_id)
    long = Failure(type="E" * 400, message="m", traceback=f"Traceback{'🦊' * 300_000}OSError: no route")
    finish(core, run, failed(run.standing, long))
    (attempt,) = attempts_of(core, run_id)
    assert len(attempt.traceback) == 256 * 1024
    assert attempt.traceback.startswith("Traceback🦊")
    assert attempt.traceback.endswith("🦊OSError: no route")
    assert attempt.exception_type == row_of(core, run_id).exception_type == "E" * 300
