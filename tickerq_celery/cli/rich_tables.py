"""Tables as rich draws them on a terminal; only imported where the extra ``cli`` is installed."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from tickerq_celery.cli.tables import NARROWEST, Column, T, portions
from tickerq_celery.cli.terminal import harmless


def print_table(columns: Sequence[Column[T]], items: Iterable[T]) -> None:
    """Print a table to the terminal: what is too wide for it goes on in the next line, and nothing is cut."""
    console = Console(highlight=False)
    widths = [NARROWEST if column.folds else len(column.title) for column in columns]
    has_titles = True
    for portion in portions(items):
        rows = [[_cell(column, item) for column in columns] for item in portion]
        widths = [
            width if column.folds else max(width, *(row[at].cell_len for row in rows))
            for at, (column, width) in enumerate(zip(columns, widths, strict=True))
        ]
        _print(console, _table(columns, rows, widths, has_titles=has_titles))
        has_titles = False


def _cell(column: Column[T], item: T) -> Text:
    return Text(harmless(column.text(item)), column.style(item) or "")


def _table(
    columns: Sequence[Column[T]], rows: Iterable[Sequence[Text]], widths: Sequence[int], *, has_titles: bool
) -> Table:
    table = Table(box=None, pad_edge=False, show_header=has_titles, header_style="bold", padding=(0, 2, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=not column.folds,
            overflow="fold",
            min_width=width,
        )
    for row in rows:
        table.add_row(*row)
    return table


def _print(console: Console, table: Table) -> None:
    wide = console.options.update(max_width=100_000)
    needed = Measurement.get(console, wide, table).minimum
    if needed > console.width:
        console.width = needed
    console.print(table, soft_wrap=False, crop=False)
