"""The application's modules, which define its functions."""

import click

from tickerq_celery.extension import TickerQ
from tickerq_celery.wording import cause_of


def import_modules(tickerq: TickerQ) -> None:
    """Import what the application includes, as a worker does, so that its functions are known here.

    Raises:
        click.ClickException: One of the modules cannot be imported.
    """
    try:
        tickerq.app.loader.import_default_modules()
    except Exception as error:
        # The user's modules: whatever their import raises, the command names it and ends.
        raise click.ClickException(
            f"a module that the application includes cannot be imported: {cause_of(error)}"
        ) from error
