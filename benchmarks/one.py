"""Call one measure in this process: python -m benchmarks.one MODULE:FUNCTION '{"count": 2000, …}'.

The last line of standard output is a JSON array of what was measured. Standard library only: the peers'
environments run it too.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

from benchmarks.measured import Measured


def main(path: str, arguments: str) -> None:
    """Call the function with the keywords and print what it returns."""
    module, _, name = path.partition(":")
    measure: Callable[..., Sequence[Measured]] = getattr(importlib.import_module(module), name)
    print(json.dumps([asdict(each) for each in measure(**json.loads(arguments))]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    os._exit(0)  # what a peer would write at its end is not measured, and may take longer than what is
