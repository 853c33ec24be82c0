"""How every table is named and kept."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, Index, MetaData, Table, event, text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
# Where an index says in its ``info`` which rows it holds, on databases that have partial indexes.
CONDITION = "where"
# Where a table says in its ``info`` with which parameters a database is to keep it.
STORAGE = "storage"
_CONDITIONS = ("postgresql_where", "sqlite_where")
# Names and keys are compared byte by byte: MariaDB would otherwise take "Send" and "send" for one function.
TABLE_OPTIONS: Mapping[str, object] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}
# Every run leaves some four dead versions of its row. PostgreSQL would wait until they are a fifth of all
# that are kept, and grow the table meanwhile; another database has no such parameters.
VACUUMED_OFTEN: Mapping[str, Mapping[str, float]] = {
    "postgresql_with": {
        "autovacuum_vacuum_scale_factor": 0.01,
        "autovacuum_vacuum_threshold": 1000,
        "autovacuum_vacuum_cost_delay": 1,
    }
}


def where_set(column: str, name: str, *columns: str, unique: bool = False, also: str | None = None) -> Index:
    """Return an index of the rows in which ``column`` is set, on databases that have partial indexes.

    On PostgreSQL each claim, start and end of a run writes all of its entries anew, but for indexes that do
    not hold it: these are most of what such a write costs. MariaDB and SQLite write the indexes of the
    columns that change. PostgreSQL and SQLite read it only for statements that ask for what is ``also`` so.
    """
    condition = f"{column} IS NOT NULL" if also is None else f"{column} IS NOT NULL AND {also}"
    return Index(name, *columns, unique=unique, info={CONDITION: condition})


@event.listens_for(metadata, "before_create")
def _add_own_options(target: MetaData, connection: Connection, **_: object) -> None:
    """Let tables and indexes be made with the options of their database.

    Options that they had from the beginning would bring the dialect of each database that they name.
    """
    prefix = f"{connection.dialect.name}_"
    for table in target.tables.values():
        _set_own(table, prefix, TABLE_OPTIONS)
        for index in table.indexes:
            if CONDITION in index.info:
                _set_own(index, prefix, dict.fromkeys(_CONDITIONS, text(index.info[CONDITION])))


@event.listens_for(metadata, "after_create")
def _add_own_storage(
    target: MetaData, connection: Connection, *, tables: Collection[Table] = (), **_: object
) -> None:
    for table in tables:
        set_storage(connection, table.name, table.info.get(STORAGE, {}))


def set_storage(connection: Connection, table: str, storage: Mapping[str, Mapping[str, float]]) -> None:
    """Set what ``storage`` has for this kind of database, by the name ``postgresql_with``.

    By a statement of its own: SQLAlchemy makes no table with it before 2.1.
    """
    own = storage.get(f"{connection.dialect.name}_with", {})
    if own:
        values = ", ".join(f"{name} = {value}" for name, value in own.items())
        connection.execute(text(f"ALTER TABLE {table} SET ({values})"))


def _set_own(part: Table | Index, prefix: str, options: Mapping[str, object]) -> None:
    for name, value in options.items():
        if name.startswith(prefix):
            part.dialect_kwargs[name] = value
