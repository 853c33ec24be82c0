"""What a pause of a function, a tag or everything will do, and its end, in words."""

from tickerq_celery.enums import PauseKind
from tickerq_dashboard.show.words import plural


def counted(number: int | None, most: int, noun: str) -> str:
    """Return a bounded count: 3 runs, 10,000+ runs; without one, the noun alone."""
    if number is None:
        return f"{noun}s"
    return f"{number:,}+ {noun}s" if number >= most else plural(number, noun)


def pause_effect(kind: str, crons: str, waiting: str, claimed: str) -> str:
    """Return what a pause will do to the cron tickers and runs that it covers now."""
    whose = "" if kind == PauseKind.EVERYTHING else " with this tag" if kind == PauseKind.TAG else " of it"
    return (
        f"Until it is resumed, no cron ticker{whose} fires and no run{whose} starts, nor any that is added "
        f"later. Now that is {crons} and {waiting} not yet claimed. What is claimed goes on: {claimed}."
    )


def resume_effect(held: str) -> str:
    """Return what the end of a pause will do to what it holds now."""
    return (
        f"{held} Cron tickers fire from their next instant on. Instants missed during the pause do not "
        "run: one Skipped occurrence of each cron ticker records them."
    )


def held_words(held: int | None, most: int) -> str:
    """Return what the end of pauses will do to the runs that they hold; ``held`` is None if not counted."""
    if held == 0:
        return "No run is held."
    runs = "The held runs" if held is None else counted(held, most, "held run")
    start, them = ("starts", "it") if held == 1 else ("start", "them")
    return f"{runs} {start}, where nothing else holds {them}."
