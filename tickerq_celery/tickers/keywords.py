"""Keywords that a call does not take: one error names all of them, and what may have been meant."""

from collections.abc import Collection, Mapping

from tickerq_celery.errors import UnknownKeywordError, meant_by
from tickerq_celery.payload.redaction import discreet


def refuse_unknown(
    what: str, given: Mapping[str, object], known: Collection[str], *, advice: str | None = None
) -> None:
    """Refuse keywords that are none of the ``known`` ones; ``what`` is how errors begin.

    Where none of those is alike, the error gives ``advice``, by default all of them.

    Raises:
        UnknownKeywordError: There are such keywords; it shows no value whose name may be a secret's.
    """
    unknown = [name for name in given if name not in known]
    if not unknown:
        return
    otherwise = f": {advice or 'there are ' + ', '.join(known)}"
    errors = []
    for name in unknown:
        meant = meant_by(name, known)
        errors.append(UnknownKeywordError(name, discreet([name], given[name]), f"{what}{meant or otherwise}"))
        # Said once.
        otherwise = otherwise if meant else ""
    first, *others = errors
    raise UnknownKeywordError(first.field, first.value, first.reason, others=others)
