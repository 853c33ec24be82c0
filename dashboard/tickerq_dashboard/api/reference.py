"""The description of the API for people: the same as openapi.json, as a page."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from werkzeug.wrappers import Response

from tickerq_dashboard.access.roles import role_permissions
from tickerq_dashboard.api.openapi import ROOT, description
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.visits import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What an address takes: where it is said, its kind in words, and whether it must be."""

    name: str
    where: str
    kind: str
    is_needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One address with one method: what it does, what it needs and takes, and what it returns."""

    method: str
    path: str
    summary: str
    permission: str
    roles: tuple[str, ...]
    fields: tuple[Field, ...]
    returns: tuple[str, ...]

    @property
    def group(self) -> str:
        """The first part of its path, by which the page is divided."""
        return self.path.split("/")[1]


def reference(visit: Visit) -> Response:
    """Show what the API has, from its own description."""
    dashboard = visit.dashboard
    server = url_for(".overview").rstrip("/") + ROOT
    found = description(dashboard.routes.values(), server)
    roles = role_permissions(dashboard.options.permissions)
    allowed = {name: {str(each) for each in permissions} for name, permissions in roles.items()}
    operations = sorted(_operations(found.paths, found.components["schemas"], allowed), key=lambda o: o.group)
    groups = [(name, list(each)) for name, each in groupby(operations, key=lambda o: o.group)]
    return visit.page("reference.html", clock=visit.clock(), groups=groups, server=server)


def _operations(
    paths: Mapping[str, Any], schemas: Mapping[str, Any], allowed: Mapping[str, Iterable[str]]
) -> Iterator[Operation]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            yield Operation(
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                permission=operation["x-permission"],
                roles=tuple(name for name, each in allowed.items() if operation["x-permission"] in each),
                fields=(*_parameters(operation), *_body(operation, schemas)),
                returns=_returned(operation, schemas),
            )


def _parameters(operation: Mapping[str, Any]) -> Iterator[Field]:
    for each in operation["parameters"]:
        yield Field(
            name=each["name"], where=each["in"], kind=kind_of(each["schema"]), is_needed=each["required"]
        )


def _body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Field]:
    if "requestBody" not in operation:
        return
    model = _resolved(operation["requestBody"]["content"]["application/json"]["schema"], schemas)
    for name, schema in model.get("properties", {}).items():
        yield Field(
            name=name, where="body", kind=kind_of(schema), is_needed=name in model.get("required", ())
        )


def _returned(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[str, ...]:
    for status, answer in operation["responses"].items():
        if status != "default" and "content" in answer:
            return tuple(_resolved(answer["content"]["application/json"]["schema"], schemas)["properties"])
    return ()


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schemas[schema["$ref"].rpartition("/")[2]]
    return found


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return the kind of a value in words: "integer, 1 to 200", "one of done, failed"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        kinds = [kind_of(each) for each in schema["anyOf"]]
        return " or ".join(dict.fromkeys(each for each in kinds if each != "null")) or "null"
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    word = str(schema.get("format") or schema.get("type") or "any JSON")
    least, most = schema.get("minimum"), schema.get("maximum")
    return word if least is None or most is None else f"{word}, {least:,} to {most:,}"
