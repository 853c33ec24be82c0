"""Publish claims one after the other, where they cannot go as a batch."""

from collections.abc import Callable, Sequence

from tickerq_celery.errors import PublishError
from tickerq_celery.failpoints import CrashPoint, failpoint
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.handover import Handover, RefusedClaim

# Stamped together: a beat that is killed before that publishes so many again, which workers drop.
MOST_ONE_BY_ONE = 100


def one_by_one(claims: Sequence[Claim], publish: Callable[[Claim], None]) -> Handover:
    """Publish claims in their order, and stop at the first that the broker does not take.

    What ``publish`` raises beside a PublishError is that claim's own: those behind it are published.
    """
    taken: list[Claim] = []
    refused: list[RefusedClaim] = []
    for index, claim in enumerate(claims):
        try:
            publish(claim)
        except PublishError as error:
            return Handover(taken=taken, refused=refused, left=claims[index:], failure=error)
        except Exception as error:  # noqa: BLE001 - of a user's router, and of Celery for an unknown queue
            refused.append(RefusedClaim(claim=claim, error=error))
            continue
        taken.append(claim)
        failpoint(CrashPoint.PUBLISHED)
    return Handover(taken=taken, refused=refused)
