"""The tables: migrations and models agree, stores that do not fit are refused, bad rows too."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, delete, inspect, select, text, update
from sqlalchemy.engine import make_url

from tests.inner import Database
from tests.integration.making import add_function
from tests.integration.store.tables import described, drop_all
from tests.manual_clock import START, ManualClock
from tests.tables import functions, meta, metadata, tickers
from tickerq_celery.errors import SchemaError
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.schema import (
    SCHEMA,
    VERSION_TABLE,
    Schema,
    migrate,
    verify,
)
from tickerq_celery.store.migrations.upgrading import alembic_config

ROOT = Path(__file__).parents[3]
LATER = Path(__file__).parent / "later_revisions"
# Waits until it is released, so that several begin together.
MIGRATING = """
import multiprocessing, sys
from tests.servers.schema_template import make_schema

forks = multiprocessing.get_context("fork")
all_are_ready = forks.Barrier(4)

def migrate():
    all_are_ready.wait()
    make_schema(sys.argv[1])

processes = [forks.Process(target=migrate) for _ in range(4)]
for process in processes:
    process.start()
for process in processes:
    process.join()
print([process.exitcode for process in processes])
"""


@pytest.fixture
def migrated(empty: Database, clock: ManualClock) -> Database:
    migrate(empty, clock)
    return empty


def set_versions(database: Database, **versions: object) -> None:
    database.write(lambda connection: connection.execute(update(meta).values(**versions)))


def meta_row(database: Database) -> Any:
    return database.read(lambda connection: connection.execute(select(meta)).one())


@pytest.mark.every_database
def test_migrations_and_models_make_the_same_schema(migrated: Database) -> None:
    by_migrations = migrated.read(described)
    migrated.write(drop_all)
    migrated.write(metadata.create_all)
    by_models = migrated.read(described)
    assert by_migrations == by_models
    assert by_models["tickerq_tickers"]["columns"].keys() == {column.name for column in tickers.c}


@pytest.mark.every_database
def test_alembic_finds_nothing_left_to_migrate(migrated: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "version_table": VERSION_TABLE}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert migrated.read(differences) == []


def test_the_first_revision_is_what_the_script_writes_of_the_tables() -> None:
    script = run_path(str(ROOT / "scripts" / "freeze-tables"))
    assert script["REVISION"].read_text(encoding="utf-8") == script["revision"]()


@pytest.mark.parametrize("name", ["status", "due_at", "running_on", "ended_at"])
def test_checks_have_the_names_that_they_are_looked_up_by(migrated: Database, name: str) -> None:
    checks = migrated.read(described)["tickerq_tickers"]["checks"]
    assert f"ck_tickerq_tickers_{name}" in checks


@pytest.mark.parametrize("empty_database_url", ["postgres"], indirect=True)
def test_postgresql_vacuums_runs_long_before_a_fifth_of_them_is_dead(migrated: Database) -> None:
    assert migrated.read(described)["tickerq_tickers"]["options"] == [
        "autovacuum_vacuum_scale_factor=0.01",
        "autovacuum_vacuum_threshold=1000",
        "autovacuum_vacuum_cost_delay=1",
    ]


def test_migrating_again_changes_nothing(migrated: Database, clock: ManualClock) -> None:
    before = meta_row(migrated)
    clock.advance(days=1)
    migrate(migrated, clock)
    assert meta_row(migrated) == before
    assert (before.schema, before.digest, before.created_at) == (SCHEMA.number, SCHEMA.digest, START)


@pytest.mark.every_database
def test_processes_that_migrate_at_once_all_succeed(empty_database_url: str, empty: Database) -> None:
    command = [sys.executable, "-c", MIGRATING, empty_database_url]
    ended = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=60, check=True)
    assert ended.stdout == "[0, 0, 0, 0]\n", ended.stderr
    verify(empty)


def test_who_gets_the_migration_lock_sees_what_the_one_before_wrote(
    database: Database, namespace: str
) -> None:
    names = select(functions.c.name).where(functions.c.namespace == namespace)
    second_is_done = threading.Event()

    def look(connection: Connection) -> None:
        with dialect_of(connection.dialect.name).migration_lock(connection):
            seen.extend(connection.scalars(names))
        second_is_done.set()

    def first(connection: Connection) -> None:
        with dialect_of(connection.dialect.name).migration_lock(connection):
            add_function(connection, namespace, "Send")
        following.append(pool.submit(database.write, look))
        # Where the lock lasts until the commit, the second one is still waiting for it here.
        second_is_done.wait(timeout=0.3)

    seen: list[str] = []
    following: list[Future[None]] = []
    with ThreadPoolExecutor(1) as pool:
        database.write(first)
        following[0].result()
    assert seen == ["Send"]


@pytest.mark.parametrize("empty_database_url", ["mariadb"], indirect=True)
@pytest.mark.parametrize("name", ["mysql", "mariadb"])
def test_mariadb_compares_byte_by_byte_by_whichever_name_it_is_called(
    empty_database_url: str, clock: ManualClock, name: str
) -> None:
    database = Database(make_url(empty_database_url).set(drivername=f"{name}+pymysql"))
    migrate(database, clock)
    statement = text(
        "SELECT DISTINCT engine, table_collation FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name <> :versions"
    )
    rows = database.read(lambda connection: connection.execute(statement, {"versions": VERSION_TABLE}).all())
    database.close()
    assert [tuple(row) for row in rows] == [("InnoDB", "utf8mb4_bin")]


def test_a_fresh_store_is_accepted_and_has_an_identity_of_its_own(migrated: Database) -> None:
    verify(migrated)
    assert meta_row(migrated).store_id.version == 7


def test_a_database_without_tables_is_refused(empty: Database) -> None:
    with pytest.raises(SchemaError) as refusal:
        verify(empty)
    assert str(refusal.value) == (
        f"store_url: the store {empty.shown} has no tables yet: run `celery -A yourapp tickerq migrate`, "
        "or tickerq.create_schema()"
    )


def test_a_store_that_is_too_old_is_refused_with_the_command_that_helps(
    migrated: Database, later: Schema
) -> None:
    with pytest.raises(SchemaError) as refusal:
        verify(migrated, later)
    assert str(refusal.value) == (
        f"store_url: the store has schema {SCHEMA.number}, this version needs {later.number}: "
        "run `celery -A yourapp tickerq migrate`"
    )


def test_migrating_a_store_made_by_an_earlier_version_keeps_what_is_in_it(
    migrated: Database, later: Schema, clock: ManualClock
) -> None:
    migrated.write(lambda connection: add_function(connection, "old", "Send"))
    before = meta_row(migrated)
    migrate(migrated, clock, later)
    verify(migrated, later)
    after = meta_row(migrated)
    assert (after.schema, after.digest) == (later.number, later.digest)
    assert (after.store_id, after.created_at) == (before.store_id, before.created_at)
    names = select(functions.c.name).where(functions.c.namespace == "old")
    assert migrated.read(lambda connection: list(connection.scalars(names))) == ["Send"]
    assert migrated.read(lambda connection: inspect(connection).has_table("tickerq_later"))


def test_a_store_with_other_tables_of_the_same_number_is_refused_as_unreleased(
    migrated: Database, clock: ManualClock
) -> None:
    set_versions(migrated, digest="0" * 64)
    for open_store in (verify, lambda database: migrate(database, clock)):
        with pytest.raises(SchemaError, match="made by an unreleased version: make a new one"):
            open_store(migrated)


def test_a_store_of_before_the_digest_is_refused_as_unreleased(
    migrated: Database, clock: ManualClock
) -> None:
    migrated.write(lambda connection: connection.execute(text("ALTER TABLE tickerq_meta DROP COLUMN digest")))
    for open_store in (verify, lambda database: migrate(database, clock)):
        with pytest.raises(SchemaError, match="made by an unreleased version: make a new one"):
            open_store(migrated)


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_the_steps_are_numbered_and_named_and_the_highest_is_the_schema(empty: Database) -> None:
    def read(connection: Connection) -> list[Script]:
        config = alembic_config(connection, SCHEMA.revisions)
        return list(ScriptDirectory.from_config(config).walk_revisions())

    steps = empty.read(read)
    numbers = [int(step.revision.partition("_")[0]) for step in reversed(steps)]
    assert len(set(numbers)) == len(numbers) == SCHEMA.number
    assert all(Path(step.path).stem == f"m{step.revision}" for step in steps)


def test_a_store_whose_migration_was_cut_off_is_refused(migrated: Database) -> None:
    migrated.write(lambda connection: connection.execute(delete(meta)))
    with pytest.raises(SchemaError, match="this version needs"):
        verify(migrated)


def test_a_migration_that_was_cut_off_before_its_last_write_can_be_repeated(
    migrated: Database, clock: ManualClock
) -> None:
    migrated.write(lambda connection: connection.execute(delete(meta)))
    migrate(migrated, clock)
    verify(migrated)


@pytest.mark.parametrize("open_store", [verify, lambda database: migrate(database, ManualClock())])
def test_a_store_that_only_newer_code_understands_is_refused(
    migrated: Database, open_store: Callable[[Database], None]
) -> None:
    newer = SCHEMA.number + 1
    set_versions(migrated, schema=newer, compatible_from=newer)
    with pytest.raises(SchemaError) as refusal:
        open_store(migrated)
    assert str(refusal.value) == (
        f"store_url: the store needs schema {newer} or newer, this version knows {SCHEMA.number}: "
        "upgrade tickerq-celery"
    )


def test_a_store_that_is_merely_newer_is_accepted_and_left_as_it_is(
    migrated: Database, clock: ManualClock
) -> None:
    set_versions(migrated, schema=SCHEMA.number + 1)
    verify(migrated)
    migrate(migrated, clock)
    assert meta_row(migrated).schema == SCHEMA.number + 1
