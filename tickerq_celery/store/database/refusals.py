"""What a database or its driver says where it refuses a value for what that holds."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError

from tickerq_celery.errors import RefusedValueError
from tickerq_celery.store.database.dialects import DIALECTS
from tickerq_celery.store.database.dialects.row_values import ALL

# SQLAlchemy appends this to a column's name in a statement for several rows.
_ROW_NUMBER = re.compile(r"_+m?\d+$")
_UNKNOWN = "a text"


@contextmanager
def translated_refusals() -> Iterator[None]:
    """Raise a RefusedValueError where the database refused a value of the block for what it holds."""
    try:
        yield
    except DataError as error:
        suspects = _suspects(error.params)
        column = next((name for each in DIALECTS.values() if (name := each.refused_column(error))), None)
        field = column or (next(iter(suspects)) if len(suspects) == 1 else _UNKNOWN)
        value = suspects.get(field, next(iter(suspects.values()), None))
        reason = " ".join(str(error.orig).split())
        raise RefusedValueError(field, value, f"the database refused it: {reason}") from error
    except UnicodeEncodeError as error:
        reason = "the encoding of the connection lacks it"
        raise RefusedValueError(_UNKNOWN, error.object[error.start : error.end], reason) from error


def _suspects(parameters: object) -> dict[str, str]:
    """Return the first text of each column that is more than ASCII, where parameters have names."""
    rows = parameters if isinstance(parameters, list) else [parameters]
    found: dict[str, str] = {}
    for row in rows:
        for name, value in row.items() if isinstance(row, dict) else ():
            if isinstance(value, str) and not value.isascii() and not name.startswith(ALL):
                found.setdefault(_ROW_NUMBER.sub("", name), value)
    return found
