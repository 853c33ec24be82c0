"""The digest of the tables: another one for each change that a database would notice."""

from collections.abc import Callable

import pytest
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, String, Table

from tickerq_celery.store.tables.digest import digest_of

Change = Callable[[Table], object]


def tables() -> tuple[MetaData, Table]:
    metadata = MetaData()
    Table("other", metadata, Column("id", Integer, primary_key=True))
    table = Table("one", metadata, Column("id", Integer, primary_key=True), Column("name", String(10)))
    return metadata, table


def test_the_same_tables_have_the_same_digest() -> None:
    assert digest_of(tables()[0]) == digest_of(tables()[0])


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.append_column(Column("more", Integer)),
        lambda table: table.append_column(Column("more", ForeignKey("other.id", ondelete="CASCADE"))),
        lambda table: table.append_constraint(CheckConstraint("id > 0", name="positive")),
        lambda table: Index("by_name", table.c.name),
        lambda table: Index("by_name", table.c.name, unique=True),
        lambda table: setattr(table.c.name, "nullable", False),
        lambda table: setattr(table.c.name.type, "length", 11),
    ],
)
def test_any_change_has_a_digest_of_its_own(change: Change) -> None:
    metadata, table = tables()
    before = digest_of(metadata)
    change(table)
    assert digest_of(metadata) != before
