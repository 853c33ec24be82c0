"""Which execution a task's request asks for, whatever else has headers in its message."""

from uuid import uuid4

import pytest
from celery.app.task import Context

from tests.inner import CALL_HEADER, TaskExecution, execution_in, execution_of_request, hand_on
from tickerq_celery.broker.messages import header_for, parsed_header

RUN = uuid4()
SECOND = TaskExecution(id=RUN, claim_no=2, task="shop.add", task_id="a", retries=1)
MESSAGE = {"id": "a", "task": "shop.add", "retries": 1}


def request(**nested: object) -> Context:
    headers = {"headers": nested} if nested else {}
    return Context({CALL_HEADER: [str(RUN), 2], "shop": "mine", **MESSAGE, **headers})


def test_a_header_is_read_as_it_was_made() -> None:
    assert parsed_header(header_for(RUN, 2)) == (RUN, 2)


def test_the_header_of_the_message_counts() -> None:
    assert execution_of_request(request()) == SECOND
    assert execution_of_request(Context(MESSAGE)) is None


@pytest.mark.parametrize("flaw", [{"id": None}, {"id": 1}, {"task": None}, {"retries": "1"}, {"retries": -1}])
def test_a_message_that_does_not_say_what_it_is_is_none_of_ours(flaw: dict[str, object]) -> None:
    headers = {CALL_HEADER: [str(RUN), 2], **MESSAGE}
    assert execution_in(headers, 1) == SECOND
    assert execution_in(headers | flaw, flaw.get("retries", 1)) is None


def test_a_shadow_name_is_shown_and_names_no_task() -> None:
    assert execution_of_request(Context({CALL_HEADER: [str(RUN), 2], **MESSAGE, "shadow": "shown"})) == SECOND


def test_headers_that_a_tracer_has_nested_in_the_message_do_not_hide_it() -> None:
    assert execution_of_request(request(trace="7")) == SECOND
    assert execution_of_request(request(**{CALL_HEADER: [str(RUN), 1]})) == SECOND


def test_a_retry_is_handed_the_header_of_the_message_and_all_others() -> None:
    for traced in (request(trace="7"), request(trace="7", **{CALL_HEADER: [str(RUN), 1]})):
        hand_on(SECOND, traced)
        assert traced.headers == {"trace": "7", CALL_HEADER: [str(RUN), 2]}
    plain = request()
    hand_on(SECOND, plain)
    assert plain.headers == {"shop": "mine", CALL_HEADER: [str(RUN), 2]}
