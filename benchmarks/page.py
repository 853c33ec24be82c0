"""The page of results in Markdown, made of outcomes alone. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.catalogue import MEASURES
from benchmarks.outcomes import Machine, Outcome
from benchmarks.subjects import OURS, Measure
from benchmarks.summary import Figure, Key, Ratio, comparisons, figures
from benchmarks.wording import named, spread_of_figure, times, value_with_unit

HEAD = f"""# Results

Made by `make bench` of [results.json](results.json); [how to read it](README.md), and what is not comparable.
Each figure is the median of the rounds. *{OURS} is* says how many times as good it is, measured in the same
rounds: 2 × is twice as fast or half as long, and below 1 × it is behind."""


def page(outcomes: Sequence[Outcome]) -> str:
    """Return the whole page."""
    by_name = {each.measure: each for each in outcomes}
    known = [(measure, by_name[name]) for name, measure in MEASURES.items() if name in by_name]
    parts = [HEAD, *_behind(known)]
    for measure, outcome in known:
        parts.extend(_section(measure, outcome))
    return "\n\n".join(parts) + "\n"


def ratios_of(outcome: Outcome) -> tuple[Ratio, ...]:
    return comparisons(outcome.rounds, ours=OURS)


def _behind(known: Iterable[tuple[Measure, Outcome]]) -> Iterator[str]:
    yield "![How many times as good as each peer](summary.png)"
    yield f"## What is better than {OURS}"
    rows = [
        (measure.title, each.other.quantity, named(each.other), named(each.ours), times(each.spread))
        for measure, outcome in known
        for each in ratios_of(outcome)
        if each.spread.median < 1
    ]
    if rows:
        yield _table(("measure", "quantity", "better", "compared with", f"{OURS} is"), rows)
    else:
        yield "Nothing that was measured."


def _section(measure: Measure, outcome: Outcome) -> Iterator[str]:
    yield f"## {measure.title}"
    yield measure.text
    found = figures(outcome.rounds)
    if found:
        yield f"![{measure.title}]({measure.name}.png)"
        ratios = {each.other: each for each in ratios_of(outcome)}
        head = ("subject", "case", "quantity", "median", "least to greatest", "counted", f"{OURS} is")
        yield _table(head, [_row(each, ratios.get(each.key)) for each in found])
    else:
        yield "Nothing was measured."
    if outcome.left_out:
        yield "Left out:\n\n" + "\n".join(f"* {each.subject}: {each.reason}" for each in outcome.left_out)
    yield f"{_rounds(outcome)}, {outcome.date}, on {_shown(outcome.machine)}"


def _row(figure: Figure, ratio: Ratio | None) -> tuple[str, ...]:
    key: Key = figure.key
    name = f"**{key.subject}**" if key.subject == OURS else key.subject
    counts = f"{min(figure.counts):,}" if any(figure.counts) else ""
    return (
        name,
        key.case.replace("*", r"\*"),
        key.quantity,
        value_with_unit(figure.spread.median, figure.unit),
        spread_of_figure(figure),
        counts,
        "" if ratio is None else times(ratio.spread),
    )


def _rounds(outcome: Outcome) -> str:
    count = len(outcome.rounds)
    return "One round" if count == 1 else f"{count} interleaved rounds"


def _shown(machine: Machine) -> str:
    memory = f"{machine.memory_gb:g} GB"
    hardware = f"{machine.cpu}, {machine.cores} cores, {memory}, {machine.kernel}, Python {machine.python}."
    return " ".join([hardware, "; ".join((*machine.versions, *machine.settings)) + "."])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("|".join(["", *(f" {cell} " if cell else " " for cell in line), ""]) for line in lines)
