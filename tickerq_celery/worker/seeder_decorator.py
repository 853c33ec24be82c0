"""The decorator that registers seeders, as type checkers and users see it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from tickerq_celery.functions.registry import Registry
from tickerq_celery.functions.seeders import make_seeder

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SeederT = TypeVar("SeederT", bound="Callable[[Session], None]")


class TakesSeeders:
    """What has a registry, and a decorator that puts seeders into it."""

    registry: Registry

    @overload
    def seeder(self, body: SeederT, /) -> SeederT: ...

    @overload
    def seeder(
        self, /, *, name: str | None = None, version: int | None = None
    ) -> Callable[[SeederT], SeederT]: ...

    def seeder(self, body: Any = None, /, *, name: str | None = None, version: int | None = None) -> Any:
        """Let the decorated function seed the store: what it writes through its Session commits as a whole.

        It runs in a worker that starts: where no other worker of its namespace lives, or with a
        ``version``, a whole number, where neither this nor a higher one has run in this store.

        Raises:
            TickerValidationError: The function cannot seed, or the name or the version cannot be used.
            DuplicateFunctionError: Another seeder has this name.
        """

        def take(body: SeederT) -> SeederT:
            self.registry.seeders.add(make_seeder(body, name=name, version=version))
            return body

        return take if body is None else take(body)
