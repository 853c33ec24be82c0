"""Operations: each verb that changes something, with its entry in the audit.

A verb calls ``UnitOfWork.operate(operation, work, recall=…)``. Its ``work`` returns an Effect whose
``change`` says what the audit shows; ``recall`` returns the result where the operation was done before.
"""

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

from tickerq_celery import validation
from tickerq_celery.enums import AuditOutcome, TickerType
from tickerq_celery.errors import (
    ConfigError,
    OperationReusedError,
    PublishError,
    RefusedValueError,
    StoreError,
    TickerError,
    TickerNotFoundError,
    TickerValidationError,
)
from tickerq_celery.managers.digests import digest_of
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.records import audit
from tickerq_celery.store.records.audit import Draft
from tickerq_celery.tickers.actor import CODE, Actor
from tickerq_celery.tickers.audit import AuditEntry, ObjectKind
from tickerq_celery.tickers.effect import Effect

logger = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[Transaction], Effect[T]]
Recall = Callable[[Transaction, AuditEntry], T]
# Those of the store's or the broker's state, which no one has asked for.
_NO_REFUSAL = (StoreError, ConfigError, PublishError)
LONGEST_ERROR = 2_000
# What a verb is about, in words.
KIND_NAMES: Mapping[TickerType | None, str] = {
    None: "run",
    TickerType.TIME_TICKER: "time ticker",
    TickerType.CRON_TICKER_OCCURRENCE: "occurrence",
}
_OF_A_REQUEST = re.compile(r"\b(request|args|kwargs|options)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a verb is asked to do: its name as users write it, what it is about, and all of its arguments.

    ``name`` is that of a function or a tag. One that ``only_adds`` has no entry unless an actor acts: what it
    makes has its own history.
    """

    action: str
    kind: ObjectKind
    ids: Sequence[UUID] = ()
    name: str | None = None
    by: str | None = None
    reason: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict, repr=False)
    only_adds: bool = False

    @property
    def object_id(self) -> str | None:
        """The one thing that it is about; None of several."""
        return str(self.ids[0]) if len(self.ids) == 1 else self.name

    def __post_init__(self) -> None:
        check_words(self.reason, self.by)

    def expecting(self, version: str | None) -> Self:
        """Return the same operation on the version that its caller has seen."""
        return replace(self, arguments={**self.arguments, "expected": version})

    def digest(self, namespace: str) -> str:
        """Return what tells this operation from others with the same id."""
        asked = (self.action, self.kind, self.ids, self.name, self.by, self.reason)
        return digest_of(namespace, *asked, self.arguments)


def operation_on(
    kind: ObjectKind,
    action: str,
    ids: Collection[UUID] = (),
    by: str | None = None,
    reason: str | None = None,
    **arguments: object,
) -> Operation:
    """Return an operation on what ``ids`` name; ``arguments`` are those of the verb besides."""
    return Operation(action=action, kind=kind, ids=list(ids), by=by, reason=reason, arguments=arguments)


class Operations:
    """Writes the audit of an actor, or of code that acts without one."""

    def __init__(self, core: Core, actor: Actor | None) -> None:
        self._core = core
        self.actor = actor

    def who(self, by: str | None) -> str | None:
        """Return whom what is stored names: ``by``, or the actor."""
        return by if by is not None or self.actor is None else self.actor.name

    def record(self, tx: Transaction, operation: Operation, work: Work[T], recall: Recall[T]) -> Effect[T]:
        """Do ``work`` and write its entry, in one transaction; or recall what it did the first time.

        Raises:
            OperationReusedError: The actor's operation id has served for something else.
            TickerNotFoundError: It was done, and its result is gone since.
        """
        draft = self._draft(operation)
        operation_id = self._operation_id
        if operation_id is None:
            effect = work(tx)
            if self.keeps(operation):
                audit.add(tx, draft, effect.change)
            return effect
        draft = replace(draft, digest=operation.digest(tx.namespace))
        done = audit.begin(tx, operation_id, draft)
        if done is None:
            effect = work(tx)
            audit.complete(tx, operation_id, draft, effect.change)
            return effect
        if done.digest != draft.digest:
            raise OperationReusedError(operation_id, done.action)
        return Effect(result=_recalled(tx, done, recall))

    def recall(self, tx: Transaction, operation: Operation, recall: Recall[T]) -> T | None:
        """Return the result of an operation that was done before; None of one that was not.

        Raises:
            OperationReusedError: The actor's operation id has served for something else.
            TickerNotFoundError: It was done, and its result is gone since.
        """
        done = self._done(tx, operation)
        return None if done is None else _recalled(tx, done, recall)

    def done_to(self, tx: Transaction, action: str) -> UUID | None:
        """Return the id of the one thing that the actor's operation was done to; None where it was not done.

        Raises:
            OperationReusedError: The actor's operation id has served for another ``action``.
        """
        operation_id = self._operation_id
        done = None if operation_id is None else audit.done(tx, operation_id)
        if done is None:
            return None
        if done.action != action or done.object_id is None:
            raise OperationReusedError(done.id, done.action)
        return UUID(done.object_id)

    def check_unused(self, tx: Transaction, operation: Operation) -> None:
        """Go on unless the actor's operation id has served for something else.

        Raises:
            OperationReusedError: It has.
        """
        self._done(tx, operation)

    @property
    def may_be_repeated(self) -> bool:
        """Whether an operation that was done before is not done again."""
        return self._operation_id is not None

    def keeps(self, operation: Operation) -> bool:
        """Return True if the operation gets an entry, which shows what is different."""
        return self.actor is not None or not operation.only_adds

    def refuse_within(self, tx: Transaction, operation: Operation, error: TickerError) -> None:
        """Record a refusal in a caller's transaction: as an entry that counts it would stay locked."""
        if self._is_refusal(error):
            audit.add_record(tx, self._draft(operation), AuditOutcome.REFUSED, refusal_text(error))

    def refused(self, operation: Operation, error: TickerError) -> None:
        """Count a refusal in its minute's entry, once the transaction of the verb has been rolled back."""
        if not self._is_refusal(error):
            return
        draft = self._draft(operation)
        per = (draft.actor, draft.address, draft.action)
        try:
            self._core.write(self.count, draft, refusal_text(error), per=per)
        except TickerError as lost:
            # The caller gets the refusal itself.
            text = refusal_text(error)
            logger.warning("the audit lacks that %s was refused (%s): %s", operation.action, text, lost)

    def count(self, tx: Transaction, draft: Draft, error: str, *, per: Sequence[str | None]) -> None:
        """Count a refusal in the entry of this minute ``per`` these texts."""
        minute = self._core.clock.now().replace(second=0, microsecond=0)
        key = digest_of(tx.namespace, minute, per)
        audit.count_refusal(tx, uuid5(NAMESPACE_OID, key), draft, error)

    def _is_refusal(self, error: TickerError) -> bool:
        return self.actor is not None and not isinstance(error, _NO_REFUSAL)

    def draft(self, action: str, kind: ObjectKind) -> Draft:
        """Return the beginning of an entry, with who acts."""
        actor = self.actor
        if actor is None:
            return Draft(action=action, object_kind=kind.value, actor=CODE)
        return Draft(
            action=action,
            object_kind=kind.value,
            actor=actor.name,
            role=actor.role,
            address=actor.address,
            via=actor.via,
            request_id=actor.request_id,
        )

    def _draft(self, operation: Operation) -> Draft:
        return replace(
            self.draft(operation.action, operation.kind),
            object_id=operation.object_id,
            ids=operation.ids,
            said_by=operation.by,
            reason=operation.reason,
        )

    def _done(self, tx: Transaction, operation: Operation) -> AuditEntry | None:
        operation_id = self._operation_id
        done = None if operation_id is None else audit.done(tx, operation_id)
        if done is not None and done.digest != operation.digest(tx.namespace):
            raise OperationReusedError(done.id, done.action)
        return done

    @property
    def _operation_id(self) -> UUID | None:
        given = None if self.actor is None else self.actor.operation_id
        return None if given is None else validation.identifier(given)


def _recalled(tx: Transaction, done: AuditEntry, recall: Recall[T]) -> T:
    try:
        return recall(tx, done)
    except TickerNotFoundError as error:
        raise TickerNotFoundError(error.kind, error.ticker_id, done=done.action) from error


def refusal_text(error: TickerError) -> str:
    """Return what an entry says of a refusal: no value that was given, and of requests not even a key."""
    if isinstance(error, TickerValidationError):
        text = "; ".join(_without_value(each) for each in (error, *error.others))
    else:
        text = str(error)
    return validation.storable(text, LONGEST_ERROR)


def _without_value(error: TickerValidationError) -> str:
    of_request = _OF_A_REQUEST.search(error.field)
    if of_request is not None:
        return f"{error.field[: of_request.end()]}: its value cannot be stored"
    if isinstance(error, RefusedValueError):
        # The database's own words repeat what it was given.
        return f"{error.field}: the database refused it"
    return f"{error.field}: {error.reason}"


def check_words(reason: object, by: object) -> None:
    """Refuse a reason or a name that cannot be stored.

    Raises:
        TickerValidationError: One of them is no text, or too long.
    """
    if reason is not None:
        validation.words("reason", reason, validation.LONGEST_DESCRIPTION)
    if by is not None:
        validation.words("by", by, validation.LONGEST_KEY)
