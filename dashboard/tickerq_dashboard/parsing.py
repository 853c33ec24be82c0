"""What a request asks, checked by the models of its route."""

from collections.abc import Mapping
from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Request

from tickerq_dashboard.forms.sent import SentForm

ModelT = TypeVar("ModelT", bound=BaseModel)
# Levels of objects and arrays in a JSON body.
DEEPEST = 64
_A_MOMENT = "write a moment such as 2026-11-24T14:30:00Z"
# What an address takes, in place of pydantic's words, which are for who wrote its model.
_TAKEN = {
    "bool_parsing": "write 1 or 0",
    "int_parsing": "write a whole number",
    "greater_than_equal": "write {ge} or more",
    "time_delta_parsing": "write a time such as 90s or 5min",
    "datetime_from_date_parsing": _A_MOMENT,
    "timezone_aware": _A_MOMENT,
    "uuid_parsing": "write a whole id",
    "string_pattern_mismatch": "write one of {words}",
    "string_too_long": "write {max_length} characters at most",
}


class InvalidFieldsError(ValueError):
    """A request means nothing; ``errors`` has a sentence for each field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {error}" for name, error in errors.items()))
        self.errors = errors


class InvalidQueryError(InvalidFieldsError):
    """The address asks for something that means nothing."""


class InvalidCommandError(InvalidFieldsError):
    """What was sent means nothing."""


def refuse_unknown(args: MultiDict[str, str], model: type[BaseModel] | None) -> None:
    """Let a program ask for nothing that is not looked at: it would take the answer for another one.

    Raises:
        InvalidQueryError: A field does not exist, or is said twice where one value is looked at.
    """
    fields = {} if model is None else model.model_fields
    errors = {name: "there is no such field" for name in args if name not in fields}
    for name, field in fields.items():
        if len(args.getlist(name)) > 1 and get_origin(field.annotation) not in {list, tuple}:
            errors[name] = "write it once"
    if errors:
        raise InvalidQueryError(errors)


def query_in(args: MultiDict[str, str], model: type[ModelT]) -> ModelT:
    """Return what an address asks; an empty field is not set, and an unknown one is not looked at.

    Raises:
        InvalidQueryError: A field has a value that means nothing.
    """
    try:
        return model.model_validate(_fields_in(args, model))
    except ValidationError as error:
        said = {_path(each): _taken(each) for each in error.errors(include_input=False)}
        raise InvalidQueryError(said) from None


def query_of(words: str, model: type[ModelT]) -> ModelT:
    """Return what the words behind an address's question mark ask; raises what ``query_in`` does."""
    return query_in(MultiDict(parse_qsl(words)), model)


def command_in(request: Request, model: type[BaseModel]) -> BaseModel:
    """Return what a form or a JSON body asks to be done; an empty field of a form is not set.

    A form that is shown again with its errors keeps all of its texts.

    Raises:
        InvalidCommandError: A field is missing, or has a value that means nothing.
    """
    try:
        if issubclass(model, SentForm):
            return model.of(request.form.items(multi=True))
        if request.mimetype == "application/json":
            return model.model_validate_json(request.get_data())
        return model.model_validate(_fields_in(request.form, model))
    except ValidationError as error:
        raise InvalidCommandError(errors_by_field(error)) from None


def body_in(request: Request, model: type[BaseModel]) -> BaseModel:
    """Return what a program asks to be done by a JSON body; no body at all says nothing.

    Raises:
        UnsupportedMediaType: It is not sent as JSON.
        InvalidCommandError: It is none or too deep, a field is missing, or has a value that means nothing.
    """
    data = request.get_data()
    if not data and not request.mimetype:
        data = b"{}"
    elif request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        # It refuses what is nested very deeply, so that the walk below ends.
        depth = _depth(from_json(data))
    except ValueError:
        raise InvalidCommandError({"": "it is no JSON, or nested too deeply"}) from None
    if depth > DEEPEST:
        raise InvalidCommandError({"": f"it is nested more than {DEEPEST} deep"})
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise InvalidCommandError(errors_by_field(error)) from None


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _fields_in(given: MultiDict[str, str], model: type[BaseModel]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, field in model.model_fields.items():
        values = [value for value in given.getlist(name) if value]
        if values:
            found[name] = values if get_origin(field.annotation) in {list, tuple} else values[0]
    return found


def errors_by_field(error: ValidationError) -> dict[str, str]:
    """Return pydantic's errors without the values that were given: those may be secrets."""
    return {_path(each): _said(each["type"], each["msg"]) for each in error.errors(include_input=False)}


def _path(error: ErrorDetails) -> str:
    return ".".join(map(str, error["loc"]))


def _taken(error: ErrorDetails) -> str:
    if error["type"] not in _TAKEN:
        return _said(error["type"], error["msg"])
    given = error.get("ctx", {})
    words = str(given.get("pattern", "")).strip("^()?$").replace("|", ", ")
    return _TAKEN[error["type"]].format(**{**given, "words": words})


def _said(kind: str, message: str) -> str:
    # What follows says which character cannot be read.
    if kind.endswith(("_parsing", "_invalid")):
        return message.partition(",")[0]
    return message.removeprefix("Value error, ")
