"""``migrate`` and ``seed``: make the store's tables, and store what the code defines."""

import click

from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cron.seeding import prune
from tickerq_celery.enums import SettingSource
from tickerq_celery.health.phrases import counted

_UNSET = SettingSource.DEFAULT


@command("migrate", acts=True, needs_store=False)
def migrate(shell: Shell) -> None:
    """Make or migrate the store's tables."""
    store = shell.tickerq.core.database.shown
    shell.output.line(f"migrating, for as long as the database takes: {store}")
    shell.tickerq.create_schema()
    shell.managers.audit.record("cli.migrate")

    def show() -> None:
        click.echo(f"the store is ready: {store}")
        if any(
            each.name == "store_url" and each.source is _UNSET for each in shell.tickerq.report().settings
        ):
            click.echo(
                f"store_url is not set, so it is the file {shell.tickerq.core.database.url.database}: for "
                "another database, TickerQ(app, store_url=…)"
            )

    shell.output.value({"store": store}, show)


@command("seed", acts=True)
@click.option(
    "--prune", "is_pruning", is_flag=True, help="Pause the cron tickers that no code defines any more."
)
def seed(shell: Shell, is_pruning: bool) -> None:
    """Store the cron tickers of the code."""
    tickerq = shell.tickerq
    tickerq.app.loader.import_default_modules()
    tickerq.seed()
    defined = [function.name for function in tickerq.registry if function.cron is not None]
    orphans = prune(tickerq.core) if is_pruning else None
    shell.managers.audit.record("cli.seed", reason=f"{len(defined)} seeded, {len(orphans or ())} paused")

    def show() -> None:
        click.echo(f"seeded {counted(len(defined), 'cron ticker')}: {', '.join(defined) or 'none'}")
        if orphans is not None:
            click.echo(f"paused {len(orphans)} that no code defines any more: {', '.join(orphans) or 'none'}")

    shell.output.value({"seeded": defined, "paused": orphans}, show)
