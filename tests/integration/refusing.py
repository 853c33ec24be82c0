"""Stores that refuse a text, as those do whose columns were converted, or that have triggers."""

from sqlalchemy import Connection, text

from tests.integration.apps import caller_engine

ARROW = "a → b"
# Refuses what the connection itself takes, as a database of another encoding does.
_POSTGRES = """
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF to_jsonb(NEW)::text LIKE '%→%' THEN
    RAISE EXCEPTION USING ERRCODE = '22P05', MESSAGE = 'has no equivalent in encoding "LATIN1"';
  END IF;
  RETURN NEW;
END $$
"""
_TABLES = ("tickerq_tickers", "tickerq_attempts", "tickerq_progress")


def _refuse_on_postgres(connection: Connection) -> None:
    connection.execute(text(_POSTGRES.replace(":", r"\:")))
    for table in _TABLES:
        connection.execute(
            text(
                f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION f()"
            )
        )


def _refuse_on_mariadb(connection: Connection) -> None:
    for table, column, kind in (
        ("tickerq_tickers", "description", "VARCHAR(500)"),
        ("tickerq_tickers", "exception_message", "MEDIUMTEXT"),
        ("tickerq_tickers", "skipped_reason", "MEDIUMTEXT"),
        ("tickerq_tickers", "progress_message", "VARCHAR(200)"),
        ("tickerq_attempts", "exception_message", "MEDIUMTEXT"),
        ("tickerq_progress", "message", "VARCHAR(200)"),
    ):
        connection.execute(text(f"ALTER TABLE {table} MODIFY {column} {kind} CHARACTER SET latin2"))


_REFUSING = {"postgresql": _refuse_on_postgres, "mysql": _refuse_on_mariadb}


def refuse_arrows(url: str) -> None:
    """Let a store that has the schema refuse an arrow from now on."""
    engine = caller_engine(url)
    with engine.begin() as connection:
        _REFUSING[connection.dialect.name](connection)
    engine.dispose()
