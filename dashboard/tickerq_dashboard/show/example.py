"""An example of the JSON that a schema describes."""

from collections.abc import Mapping
from typing import Any

_DEEPEST = 6
_OF_TYPES: Mapping[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
_OF_FORMATS = {
    "date-time": "2026-01-31T09:00:00Z",
    "date": "2026-01-31",
    "time": "09:00:00",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "ann@example.com",
    "uri": "https://example.com",
    "duration": "PT30S",
}


def example_of(schema: Any) -> Any:
    """Return a value that a JSON schema of a request accepts, as far as types, formats and choices say."""
    definitions = schema.get("$defs", {}) if isinstance(schema, Mapping) else {}
    return _example(schema, definitions, 0)


def _example(schema: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    if "$ref" in schema:
        return _example(definitions.get(str(schema["$ref"]).rpartition("/")[2]), definitions, depth + 1)
    found = _said(schema)
    if found:
        return found[0]
    choice = next((schema[name][0] for name in ("anyOf", "oneOf", "allOf") if schema.get(name)), None)
    if choice is not None:
        return _example(choice, definitions, depth + 1)
    return _of_type(schema, definitions, depth)


def _said(schema: Mapping[str, Any]) -> list[Any]:
    """Return the values that a schema itself names, the likeliest first."""
    named = [schema[name] for name in ("default", "const") if name in schema]
    return named + [schema[name][0] for name in ("examples", "enum") if schema.get(name)]


def _of_type(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        properties = {**dict.fromkeys(schema.get("required", ())), **schema.get("properties", {})}
        return {name: _example(each, definitions, depth + 1) for name, each in properties.items()}
    if kind == "array":
        return [_example(schema["items"], definitions, depth + 1)] if "items" in schema else []
    if kind == "string":
        return _OF_FORMATS.get(str(schema.get("format")), "text")
    least = schema.get("minimum")
    return least if least is not None else _OF_TYPES.get(str(kind))
