"""Classes and functions whose modules are imported when they are first called: few processes hold them.

Type checkers see the import, and the process that never calls imports nothing::

    if TYPE_CHECKING:
        from tickerq_celery.managers.bulk import BulkManager
    else:
        BulkManager = Deferred("tickerq_celery.managers.bulk", "BulkManager")

Annotations that name it are written in quotes. It can be called and asked for instances and subclasses, and
nothing else.
"""

import sys
from importlib import import_module
from typing import Any, Union


class Deferred:
    """Stands for ``name`` of a module until it is called, and passes each call on to it."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self._found()(*args, **keywords)

    def __instancecheck__(self, instance: object) -> bool:
        # Without its module there is none.
        return self._module in sys.modules and isinstance(instance, self._found())

    def __subclasscheck__(self, kind: type) -> bool:
        return self._module in sys.modules and issubclass(kind, self._found())

    def __ror__(self, other: Any) -> Any:
        # In an annotation that is evaluated.
        return Union[other, self]  # noqa: UP007

    def _found(self) -> Any:
        return getattr(import_module(self._module), self._name)
