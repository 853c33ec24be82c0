"""Runs and entries of the audit as lines of JSON, for an archive and for an export."""

import base64
import json
from collections.abc import Mapping

from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.payload.codec import Encoding
from tickerq_celery.tickers.audit import AuditEntry
from tickerq_celery.tickers.json_values import as_json, fields_of
from tickerq_celery.tickers.views import Run


def line_of_run(run: Run) -> str:
    """Return a run with its attempts and log lines as one line of JSON."""
    return _line({"record": "run", **fields_of(run), "status_word": run.status_word, **_request(run)})


def line_of_audit(entry: AuditEntry) -> str:
    """Return an entry of the audit as one line of JSON."""
    return _line({"record": "audit", **fields_of(entry)})


def _request(run: Run) -> dict[str, object]:
    """Return the request as people may see it; what is encrypted in the store stays so."""
    packed = run.stored_request.packed
    try:
        if not packed.encoding & Encoding.FERNET:
            return {"request": run.shown_request}
    except UnreadableRequestError:
        # Damaged, or of a newer version: kept as it is.
        pass
    data = b"" if packed.data is None else packed.data
    return {"stored_request": base64.b64encode(data).decode(), "encoding": as_json(packed.encoding)}


def _line(values: Mapping[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
