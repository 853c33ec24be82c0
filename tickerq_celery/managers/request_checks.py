"""Whether a request fits what a function takes, as far as this process or the store can say."""

import logging
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.enums import Origin, TickerKind
from tickerq_celery.errors import TickerValidationError, UnreadableRequestError
from tickerq_celery.payload.codec import StoredRequest
from tickerq_celery.payload.expected_request import CheckedBy, ExpectedRequest
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.functions import functions
from tickerq_celery.store.health.waiting import Registered, WaitingRun
from tickerq_celery.tickers.views import Cron, Run

logger = logging.getLogger(__name__)


def check(core: Core, name: str, request: object, *, namespace: str) -> CheckedBy:
    """Return what a request of a function fits: the function, where it is imported, else the stored schema.

    Raises:
        TickerValidationError: It does not fit what the function takes, or is no JSON, or too large.
        QueryTooWideError: To read the schema took longer than ``read_budget``.
    """
    return _checked(_expected(core, name, namespace), request, limit=core.config.payload_limit)


def misfits_of(core: Core, ticker: Run | Cron) -> tuple[str, ...] | None:
    """Return the fields of a stored request that do not fit its function; None where that is unknown here.

    Raises:
        QueryTooWideError: To read the schema took longer than ``read_budget``.
    """
    # A record of misfires has no request of its own.
    if ticker.kind is TickerKind.CELERY_TASK or (isinstance(ticker, Run) and ticker.origin is Origin.MISFIRE):
        return None
    expected = _expected(core, ticker.function, ticker.namespace)
    return _misfits(core, ticker.id, expected, ticker.stored_request)


def misfits_of_waiting(core: Core, run: WaitingRun, registered: Registered | None) -> tuple[str, ...] | None:
    """Return the same of a run that could be retried, of whose function this is ``registered``."""
    if run.kind is TickerKind.CELERY_TASK or run.origin is Origin.MISFIRE:
        return None
    schema = None if registered is None else registered.request_schema
    expected = _imported(core, run.function) or _Expected(
        ExpectedRequest(function=run.function, registered=schema), is_imported=False
    )
    return _misfits(core, run.id, expected, StoredRequest(run.packed, core.codec))


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a function takes, as far as it is known, and whether the function itself is there to say so."""

    request: ExpectedRequest
    is_imported: bool


def _expected(core: Core, name: str, namespace: str) -> _Expected:
    imported = _imported(core, name) if namespace == core.config.namespace else None
    if imported is not None:
        return imported
    found = core.read_bounded(lambda tx: functions.find(tx.within(namespace), [name]))
    schema = found[name].request_schema if name in found else None
    return _Expected(ExpectedRequest(function=name, registered=schema), is_imported=False)


def _imported(core: Core, name: str) -> _Expected | None:
    function = core.registry.get(name)
    return None if function is None else _Expected(function.expected_request, is_imported=True)


def _misfits(
    core: Core, ticker_id: UUID, expected: _Expected, request: StoredRequest
) -> tuple[str, ...] | None:
    try:
        checked_by = _checked(expected, request.value, limit=core.config.payload_limit)
    except TickerValidationError as error:
        return tuple(each.field for each in (error, *error.others))
    except UnreadableRequestError:
        return None
    except Exception:
        # Validators of the user's model raise what they like: there is more to say of the ticker than this.
        name = expected.request.function
        logger.exception("the request of %s of function %s could not be checked", ticker_id, name)
        return None
    return () if checked_by.is_checked else None


def _checked(expected: _Expected, request: object, *, limit: int) -> CheckedBy:
    data = expected.request.encode(request, limit=limit)
    if expected.is_imported:
        return CheckedBy.FUNCTION
    if expected.request.registered is None:
        return CheckedBy.NOTHING
    return CheckedBy.SCHEMA if expected.request.check_registered(data) is None else CheckedBy.UNUSABLE
