"""Take a list along as a file: what its filter matches, up to a bound."""

from typing import Annotated, Literal

from pydantic import Field

from tickerq_dashboard.commands.bulk import LONGEST_FILTER
from tickerq_dashboard.commands.command import Once


class Export(Once):
    """Of which list, filtered as in its address, and as what: CSV or JSON lines."""

    filter: Annotated[str, Field(max_length=LONGEST_FILTER)] = ""
    format: Literal["csv", "jsonl"] = "csv"


class ExportRuns(Export):
    """Which of the lists of runs."""

    listing: Literal["active", "upcoming", "history"] = "history"
