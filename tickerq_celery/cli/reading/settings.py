"""``settings``: with what a process works, without its secrets."""

from collections.abc import Sequence

from tickerq_celery.cli import cells
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.tables import Column
from tickerq_celery.enums import SettingSource
from tickerq_celery.tickers.settings_report import SettingsReport, SettingView, TableSize


@command("settings", needs_store=False)
def settings(shell: Shell) -> None:
    """Show the settings and where they come from, addresses, versions, and the store's schema.

    Passwords and keys are masked.
    """
    found = shell.tickerq.report()
    shell.output.value(found, lambda: _show(shell, found))


def _show(shell: Shell, found: SettingsReport) -> None:
    output = shell.output
    schema = found.schema
    output.details(
        {
            "version": found.version,
            "namespace": found.namespace,
            "node": found.node,
            "store": found.store,
            "broker": found.broker,
            "retention": found.retention,
            "schema": None if schema is None else f"{schema.number}, digest {schema.digest[:12]}",
            "needed": f"{found.schema_needed}, digest {found.digest_needed[:12]}",
            "store made": None if schema is None else cells.moment(schema.created_at),
            "problem": found.schema_problem,
        }
    )
    output.line()
    output.listing(found.settings, _COLUMNS, empty="no settings")
    if found.tables:
        output.line()
        output.listing(found.tables, _TABLES, empty="")


_COLUMNS: Sequence[Column[SettingView]] = (
    Column("SETTING", lambda setting: setting.name),
    Column(
        "FROM",
        lambda setting: setting.source.value,
        lambda setting: "cyan" if setting.source is not SettingSource.DEFAULT else None,
    ),
    Column("VALUE", lambda setting: setting.value, folds=True),
)
_TABLES: Sequence[Column[TableSize]] = (
    Column("TABLE", lambda table: table.name),
    Column("ROWS", lambda table: "" if table.rows is None else f"{table.rows:,}", is_number=True),
    Column("BYTES", lambda table: "" if table.bytes is None else f"{table.bytes:,}", is_number=True),
)
