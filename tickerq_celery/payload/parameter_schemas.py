"""How pydantic checks and describes the plain parameters of a function."""

import json
import typing
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import (
    CoreSchema,
    no_info_plain_validator_function,
    typed_dict_field,
    typed_dict_schema,
)

from tickerq_celery.payload.parameters import Parameters

NO_SUCH_PARAMETER = "no_such_parameter"


def for_pydantic(hint: Any) -> Any:
    """Return an annotation as pydantic understands it: that of parameters is their object."""
    if typing.get_origin(hint) is Annotated and isinstance(hint.__metadata__[0], Parameters):
        return Annotated[dict[str, Any], _Object(hint.__metadata__[0])]
    return hint


@dataclass(frozen=True, slots=True, eq=False)
class _Object:
    """As metadata of an annotation the pydantic type of the object that holds the parameters.

    What was not given stays out, so that the function's own default counts when it runs.
    """

    parameters: Parameters

    def __get_pydantic_core_schema__(self, _: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        parameters = self.parameters
        fields = {
            each.name: typed_dict_field(handler.generate_schema(each.type), required=each.is_required)
            for each in parameters.named
        }
        extra = (
            handler.generate_schema(parameters.extra)
            if parameters.takes_extra
            else no_info_plain_validator_function(_refuse)
        )
        return typed_dict_schema(fields, extra_behavior="allow", extras_schema=extra)

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        is_open = self.parameters.takes_extra
        shown = schema if is_open else typed_dict_schema(schema["fields"])
        found = handler.resolve_ref_schema(handler(shown))
        if not is_open:
            # Pydantic 2.11 would say it of a TypedDict's class alone.
            found["additionalProperties"] = False
        for each in self.parameters.named:
            if not each.is_required and _is_json(each.default):
                found["properties"][each.name]["default"] = each.default
        return found


def _refuse(_: object) -> NoReturn:
    raise PydanticCustomError(NO_SUCH_PARAMETER, "the function has no such parameter")


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
