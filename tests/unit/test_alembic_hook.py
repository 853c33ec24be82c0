"""The hook that keeps an application's Alembic from the store's tables."""

import pytest

from tests.inner import VERSION_TABLE
from tests.tables import metadata
from tickerq_celery.alembic import include_name


@pytest.mark.parametrize("table", [*metadata.tables, VERSION_TABLE, "tickerq_of_a_later_version"])
def test_the_stores_tables_are_left_out(table: str) -> None:
    assert not include_name(table, "table", {"schema_name": None})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("orders", "table"),
        ("my_tickerq_orders", "table"),
        ("tickerq_id", "column"),
        ("tickerq_orders", "index"),
        (None, "schema"),
        ("tickerq_celery", "schema"),
        (None, "unique_constraint"),
    ],
)
def test_everything_else_is_the_applications(name: str | None, kind: str) -> None:
    assert include_name(name, kind, {})
