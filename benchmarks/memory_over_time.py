"""What beat, a worker's main process and a child hold minute by minute, beside plain Celery's, as a chart.

python -m benchmarks.memory_over_time POSTGRES_URL REDIS_URL FOLDER; the database and the broker are new and
empty. MINUTES is 30 unless the environment says otherwise. Each point is the most that the process held in
that minute.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from benchmarks.charts import AHEAD, DPI, GRID, OTHERS, STYLE, WIDTH
from benchmarks.memory import PARTS, PLAIN, RATE, Sample, watched
from benchmarks.subjects import OURS

MINUTES = 30
COLOURS = {PLAIN: OTHERS, OURS: AHEAD}
NAME = "memory-over-time"
# What a process held in each minute, in MB, by its subject and part: "tickerq-celery, beat".
Series = dict[str, list[float]]


def series(samples: Sequence[Sample]) -> Series:
    """Return the most that each process held in each minute."""
    most: dict[str, dict[int, float]] = {}
    for each in samples:
        of_process = most.setdefault(f"{each.subject}, {each.part}", {})
        minute = int(each.seconds // 60)
        of_process[minute] = max(of_process.get(minute, 0.0), each.resident)
    return {name: [round(value, 1) for _, value in sorted(minutes.items())] for name, minutes in most.items()}


def draw(found: Series, path: Path) -> None:
    """Draw a line for each process, a panel for each kind of process."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(PARTS), figsize=(WIDTH + 2, 3.4), sharey=True)
        for ax, part in zip(axes, PARTS, strict=True):
            for subject, colour in COLOURS.items():
                values = found[f"{subject}, {part}"]
                ax.plot(range(1, len(values) + 1), values, color=colour, linewidth=1.8, label=subject)
            ax.set_title(part, loc="left", weight="bold")
            ax.set_xlabel("minute")
            ax.grid(axis="y", color=GRID, linewidth=0.8)
        axes[0].set_ylim(bottom=0)
        axes[0].set_ylabel(f"MB resident, up to {RATE} runs a second each")
        axes[0].legend(frameon=False, loc="lower right")
        figure.savefig(path, dpi=DPI, bbox_inches="tight", metadata={"Software": None})
        plt.close(figure)


def main(store_url: str, broker_url: str, folder: Path) -> None:
    """Measure, and write the figures and their chart."""
    minutes = int(os.environ.get("MINUTES", MINUTES))
    found = series(watched(count=minutes * 60 * RATE, store_url=store_url, broker_url=broker_url))
    (folder / f"{NAME}.json").write_text(json.dumps(found, indent=1) + "\n")
    draw(found, folder / f"{NAME}.png")
    for name, values in found.items():
        print(f"{name:28} first {values[0]:6.1f} MB, last {values[-1]:6.1f} MB, most {max(values):6.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
