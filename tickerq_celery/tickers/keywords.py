"""Keywords that a call does not take: one error names all of them, and what may have been meant."""

from collections.abc import Callable, Collection, Mapping, Sequence

from tickerq_celery.errors import UnknownKeywordError
from tickerq_celery.payload.redaction import discreet
from tickerq_celery.wording import meant_by

# What users of Celery write, and the fields that stand for it here.
_SAME = {
    "cron": "expression",
    "eta": "execution_time",
    "countdown": "delay",
    "autoretry_for": "retries",
    "max_retries": "retries",
    "default_retry_delay": "retry_intervals",
    "retry_backoff": "retry_intervals",
    "soft_time_limit": "timeout",
    "time_limit": "hard_timeout",
}


def refuse_unknown(
    what: str,
    given: Mapping[str, object],
    known: Collection[str],
    *,
    advice: Callable[[Sequence[str]], str] | None = None,
    never_meant: Collection[str] = (),
) -> None:
    """Refuse keywords that are none of the ``known`` ones; ``what`` is how errors begin.

    Where none of those is alike, the error says what ``advice`` returns for all such keywords, by default
    all known ones. What is in ``never_meant`` is like none.

    Raises:
        UnknownKeywordError: There are such keywords; it shows no value whose name may be a secret's.
    """
    unknown = [name for name in given if name not in known]
    if not unknown:
        return
    meant = {name: "" if name in never_meant else _meant(name, known) for name in unknown}
    left = [name for name in unknown if not meant[name]]
    if left:
        # Said once.
        meant[left[0]] = f": {advice(left) if advice else 'there are ' + ', '.join(known)}"
    errors = [
        UnknownKeywordError(name, discreet([name], given[name]), what + meant[name]) for name in unknown
    ]
    first, *others = errors
    raise UnknownKeywordError(first.field, first.value, first.reason, others=others)


def _meant(name: str, known: Collection[str]) -> str:
    if (same := _SAME.get(name)) in known:
        return f": did you mean {same}?"
    # "data" is no slip of "at", nor "name" one of "namespace": a slip keeps most of the length.
    lengths = ((each, sorted([len(name), len(each)])) for each in known)
    return meant_by(name, [each for each, (shorter, longer) in lengths if longer < 2 * shorter])
