"""The shop's web process: it makes the calls that SHOP_CALLS holds as JSON, and prints their ids by name.

Each is ``tickerq.schedule``, unless it says ``apply_async`` or there is no TickerQ.
"""

import json
import os
from typing import Any

from tests.compat.shop_app import app, tickerq


def make(call: dict[str, Any]) -> str:
    """Make one call, and return the id of its run, or of its task where that is all there is."""
    signature = app.tasks[call["task"]].s(*call["args"])
    if tickerq is None or call["way"] == "apply_async":
        return str(signature.apply_async(**(call["options"] if call["way"] == "apply_async" else {})).id)
    return str(tickerq.schedule(signature, **call["options"]).id)


if __name__ == "__main__":
    print(json.dumps({call["name"]: make(call) for call in json.loads(os.environ["SHOP_CALLS"])}))
