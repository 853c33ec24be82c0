"""The description of the API, made from the route table: OpenAPI 3.1."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from tickerq_dashboard.api.answering import answered
from tickerq_dashboard.api.fields import Answer, Json
from tickerq_dashboard.problem_details import MIMETYPE, ProblemDetails
from tickerq_dashboard.rendering import url_for
from tickerq_dashboard.routing import Route
from tickerq_dashboard.visits import Visit

_REF = "#/components/schemas/{model}"
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_KINDS: Mapping[str, Mapping[str, str]] = {"uuid": {"type": "string", "format": "uuid"}}
ROOT = "/api/v1"
_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]


class OpenApiAnswer(Answer):
    """A description by OpenAPI 3.1; unlike other answers it has the fields of that standard."""

    openapi: str
    info: Json
    servers: Json
    security: Json
    paths: Json
    components: Json


def openapi(visit: Visit) -> Response:
    """Return the description of all addresses of the API."""
    base = url_for(".overview").rstrip("/")
    return answered(description(visit.dashboard.routes.values(), base + ROOT))


def description(routes: Iterable[Route], server: str) -> OpenApiAnswer:
    """Return what describes the rows of a route table that answer JSON, below the address ``server``."""
    rows = [route for route in routes if route.is_api]
    paths: dict[str, dict[str, Any]] = {}
    refs, schemas = _schemas_of(rows)
    for route in rows:
        path = _PART.sub(r"{\2}", route.path).removeprefix(ROOT)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, refs)
    return OpenApiAnswer(
        openapi="3.1.0",
        info={
            "title": "TickerQ",
            "version": "1",
            "description": "See docs/reference/dashboard-api.md.",
        },
        servers=[{"url": server}],
        security=_SECURITY,
        paths=paths,
        components={
            "schemas": schemas,
            "securitySchemes": {each: {"type": "http", "scheme": each} for each in ("bearer", "basic")},
        },
    )


def _operation(route: Route, refs: Mapping[tuple[Any, JsonSchemaMode], Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "What was asked."}
    if route.answer is not None and route.status != 204:
        success["content"] = {"application/json": {"schema": refs[route.answer, "serialization"]}}
    problem = {
        "description": "A problem: nothing was changed.",
        "content": {MIMETYPE: {"schema": refs[ProblemDetails, "serialization"]}},
    }
    found: dict[str, Any] = {
        "operationId": route.name.removeprefix("api_"),
        "summary": (route.handler.__doc__ or "").strip().partition("\n")[0],
        "x-permission": str(route.permission),
        "parameters": [*_parts_of(route), *_parameters_of(route)],
        "responses": {str(route.status): success, "default": problem},
    }
    if route.command is not None:
        body = {"application/json": {"schema": refs[route.command, "validation"]}}
        found["requestBody"] = {"required": True, "content": body}
    return found


def _parts_of(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _KINDS.get(kind, {"type": "string"})}
        for kind, name in _PART.findall(route.path)
    ]


def _parameters_of(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    fields = route.query.model_json_schema()["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": _without_null(schema)}
        for name, schema in fields.items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: one that is not said is left out, and never null."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    found = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return found | (kinds[0] if kinds else {})


def _schemas_of(rows: Iterable[Route]) -> tuple[dict[tuple[Any, JsonSchemaMode], Any], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDetails, "serialization"): None}
    for route in rows:
        if route.answer is not None:
            wanted[route.answer, "serialization"] = None
        if route.command is not None:
            wanted[route.command, "validation"] = None
    refs, definitions = models_json_schema(list(wanted), ref_template=_REF)
    return refs, definitions["$defs"]
