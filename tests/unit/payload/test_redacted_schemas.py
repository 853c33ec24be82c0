"""A JSON schema is shown without the values of secrets, and with all that it says of them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from tickerq_celery.payload.redaction import redacted_schema

CANARY = "canary-4711"


class Key(BaseModel):
    value: str = CANARY


class Ring(BaseModel):
    keys: list[Key] = [Key()]
    label: str = Field(default=CANARY, examples=[CANARY])


class Open(BaseModel):
    note: str = "shown"


class Request(BaseModel):
    secret_ring: Ring | None = None
    card: dict[str, Any] = {"number": "shown", "Access-Token": CANARY}
    access_token: Literal["a", "b"] = Field(default="a", json_schema_extra={"example": CANARY})
    open: Open = Open()


def test_values_of_secrets_are_masked_with_all_that_they_refer_to_and_no_others_are() -> None:
    schema = Request.model_json_schema()
    found = redacted_schema(schema, ["secret", "token"])
    assert CANARY not in str(found)
    assert found["properties"]["card"]["default"] == {"number": "shown", "Access-Token": "•••"}
    assert found["properties"]["access_token"]["enum"] == ["a", "b"]
    assert found["$defs"]["Open"] == schema["$defs"]["Open"]
    assert found["$defs"]["Ring"]["properties"]["label"]["type"] == "string"
    assert redacted_schema(schema, []) == schema


def test_a_property_may_be_called_as_a_keyword_is() -> None:
    schema = {"properties": {"default": {"type": "string"}, "examples": {"type": "string"}}}
    assert redacted_schema(schema, ["token"]) == schema
