"""What an error says that the database refused a value."""

import pytest
from sqlalchemy.exc import DataError

from tickerq_celery.errors import RefusedValueError
from tickerq_celery.store.database.refusals import translated_refusals

ORIGINAL = ValueError("no such character")


@pytest.mark.parametrize(
    ("parameters", "field", "value"),
    [
        ({"description": "é", "queue": "q"}, "description", "é"),
        ({"all_description": '{"é","secret of another"}', "one_queue": "q"}, "a text", None),
    ],
)
def test_a_refused_text_is_named_and_the_values_of_many_rows_are_not_shown(
    parameters: dict[str, str], field: str, value: str | None
) -> None:
    with pytest.raises(RefusedValueError) as caught, translated_refusals():
        raise DataError("INSERT", parameters, ORIGINAL)
    assert (caught.value.field, caught.value.value) == (field, value)
