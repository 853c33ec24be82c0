"""An example of the requests that a stored JSON schema takes: one that fits, or none."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from math import floor
from typing import Any

from tickerq_celery.payload.formats import FORMATS
from tickerq_celery.payload.pattern_examples import HardPatternError, text_for
from tickerq_celery.payload.redaction import MASK
from tickerq_celery.payload.schema_keywords import bounded
from tickerq_celery.payload.stored_schemas import UNUSABLE, validator_of

_MOST_ITEMS, _LONGEST = 100, 1_000
_TEXTS = ("text", "more", "Text", "a", "b", "1", "2", "10.50", "2026-01-31")


class _NoExampleError(ValueError):
    """No value was found that fits a part of a schema."""


def example_of(schema: object) -> Any:
    """Return a request that fits a schema, without the values that it masks; None where none was found."""
    text = _example_of(json.dumps(schema))
    return None if text is None else json.loads(text)


@lru_cache(maxsize=256)
def _example_of(text: str) -> str | None:
    try:
        validator = validator_of(text)
        with bounded():
            found = _Examples(validator).value(validator.schema)
    # Bounds may be beyond what can be computed with.
    except (ValueError, ArithmeticError, *UNUSABLE):
        return None
    return json.dumps(found)


class _Examples:
    """Makes values for the parts of a schema; ``nth`` is which one, where several are to differ.

    ``above`` are the references that a part is made within: what refers to itself ends there.
    """

    def __init__(self, validator: Any) -> None:
        self._validator = validator
        self._definitions = validator.schema.get("$defs", {}) if isinstance(validator.schema, dict) else {}

    def value(self, schema: Any, nth: int = 0, above: frozenset[str] = frozenset()) -> Any:
        """Return the first value tried that fits.

        Raises:
            _NoExampleError: None does.
        """
        for each in self._tried(schema, nth, above):
            if self._validator.evolve(schema=schema).is_valid(each):
                return each
        raise _NoExampleError

    def _values(self, schema: Any, nth: int, above: frozenset[str]) -> Iterator[Any]:
        """Yield the value, or nothing."""
        with suppress(_NoExampleError):
            yield self.value(schema, nth, above)

    def _tried(self, schema: Any, nth: int, above: frozenset[str]) -> Iterator[Any]:
        if not isinstance(schema, Mapping):
            yield f"text{nth or ''}"
            return
        yield from _named_values(schema, nth)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference not in above:
                definition = self._definitions.get(reference.removeprefix("#/$defs/"), False)
                yield from self._values(definition, nth, above | {reference})
            return
        for each in (each for name in ("anyOf", "oneOf", "allOf") for each in schema.get(name, ())):
            yield from self._values(each, nth, above)
        yield from self._of_type(schema, nth, above)

    def _of_type(self, schema: Mapping[str, Any], nth: int, above: frozenset[str]) -> Iterator[Any]:
        given = schema.get("type", "object" if "properties" in schema else "string")
        for kind in [given] if isinstance(given, str) else given:
            match kind:
                case "object":
                    yield from self._objects(schema, nth, above)
                case "array":
                    yield from self._arrays(schema, nth, above)
                case "string":
                    yield from self._texts(schema, nth, above)
                case "integer" | "number":
                    yield from _numbers(schema, nth, is_whole=kind == "integer")
                case "boolean":
                    yield nth % 2 == 0
                case "null":
                    yield None

    def _objects(self, schema: Mapping[str, Any], nth: int, above: frozenset[str]) -> Iterator[Any]:
        required = schema.get("required", ())
        properties = {**dict.fromkeys(required, True), **schema.get("properties", {})}
        found = {name: each for name, part in properties.items() for each in self._values(part, nth, above)}
        yield found or self._entries(schema, nth, above)
        yield {name: each for name, each in found.items() if name in required}

    def _entries(self, schema: Mapping[str, Any], nth: int, above: frozenset[str]) -> dict[str, Any]:
        """Return the entries of an object of which not the names are known, but what they are."""
        found: dict[str, Any] = {}
        for pattern, part in schema.get("patternProperties", {}).items():
            with suppress(HardPatternError, _NoExampleError):
                found[text_for(pattern, repeated=1)] = self.value(part, nth, above)
        if not found:
            names, part = schema.get("propertyNames", True), schema.get("additionalProperties", False)
            wanted = range(nth, nth + min(max(schema.get("minProperties", 1), 1), _MOST_ITEMS))
            with suppress(_NoExampleError):
                found |= {str(self.value(names, at, above)): self.value(part, at, above) for at in wanted}
        return found

    def _arrays(self, schema: Mapping[str, Any], nth: int, above: frozenset[str]) -> Iterator[Any]:
        first = schema.get("prefixItems", [])
        wanted = min(max(schema.get("minItems", 1), len(first)), schema.get("maxItems", _MOST_ITEMS))
        parts = [*first, *([schema.get("items", True)] * (wanted - len(first)))]
        with suppress(_NoExampleError):
            yield [self.value(part, nth + at, above) for at, part in enumerate(parts)]
        yield []

    def _texts(self, schema: Mapping[str, Any], nth: int, above: frozenset[str]) -> Iterator[str]:
        if "contentSchema" in schema:
            yield from map(json.dumps, self._values(schema["contentSchema"], nth, above))
        named = FORMATS.get(str(schema.get("format")))
        yield from () if named is None else named.examples[nth:]
        least, most = schema.get("minLength", 0), schema.get("maxLength", _LONGEST)
        for text in (f"text{nth or ''}", *_TEXTS):
            yield text
            yield (text[-most:] if nth else text[:most]).ljust(min(least, _LONGEST), "x")
        for repeated in (1, 0, 2, 3, least, most):
            with suppress(HardPatternError):
                yield text_for(str(schema.get("pattern", "")), repeated=repeated)


def _named_values(schema: Mapping[str, Any], nth: int) -> Iterator[Any]:
    """Yield the values that a schema itself names, the likeliest first."""
    for name in ("const", "default"):
        if name in schema and (nth == 0 or name == "const"):
            yield from _unmasked([schema[name]])
    for name in ("examples", "enum"):
        named = schema.get(name)
        if isinstance(named, list):
            yield from _unmasked([*named[nth:], *named])


def _unmasked(values: Sequence[Any]) -> Iterator[Any]:
    yield from (each for each in values if MASK not in json.dumps(each, ensure_ascii=False))


def _numbers(schema: Mapping[str, Any], nth: int, *, is_whole: bool) -> Iterator[float]:
    """Yield numbers of which one may lie within the bounds."""
    bounds = [schema.get(name) for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")]
    known = [each for each in bounds if each is not None]
    step = schema.get("multipleOf", 1)
    for start in (1 if is_whole else 1.5, *known, sum(known) / max(len(known), 1)):
        for near in (start, floor(start / step) * step):
            for at in (nth, nth + 1, -nth, -nth - 1):
                found = near + at * step
                yield floor(found) if is_whole else round(found, 9)
