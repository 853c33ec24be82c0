"""Stored bytes that are no JSON are named as that, whatever type was wanted."""

import pytest

from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.payload.requests import decode


@pytest.mark.parametrize("request_type", [None, dict[str, int]])
def test_damaged_json_is_unreadable_with_its_place_and_none_of_its_text(request_type: object) -> None:
    with pytest.raises(UnreadableRequestError) as caught:
        decode(b'{"password": s3cret', request_type=request_type)
    text = str(caught.value)
    assert text.startswith("the request cannot be read: its JSON is damaged: expected value at line 1 ")
    assert "s3cret" not in text
    assert "bytes" not in text
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
