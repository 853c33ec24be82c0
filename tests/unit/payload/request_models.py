"""Types of fields as applications have them, for models that are made at random."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Network
from typing import Annotated, Any, Literal
from uuid import UUID

from hypothesis import strategies as st
from pydantic import UUID4, AnyUrl, BaseModel, ConfigDict, Field, JsonValue, create_model


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Card(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["card"]
    number: Annotated[str, Field(pattern=r"^\d{4}(-\d{4}){3}$")]
    expires: date | None = None


class Transfer(BaseModel):
    kind: Literal["transfer"]
    iban: Annotated[str, Field(pattern=r"^[A-Z]{2}\d{2}[A-Z0-9]{4,}$", max_length=34)]


class Node(BaseModel):
    name: str
    below: list["Node"] = Field(default_factory=list)
    parent: "Node | None"


FIELDS: tuple[Any, ...] = (
    str, int, float, bool, date, datetime, time, timedelta, Decimal, UUID, UUID4, AnyUrl, IPv4Address,
    IPv6Network, Colour, JsonValue, Any, Card, Transfer, Node, dict[str, Card],
    Literal["a", 2, None],
    int | None,
    Card | None,
    Card | Transfer,
    Annotated[Card | Transfer, Field(discriminator="kind")],
    Annotated[str, Field(pattern=r"^\d{5}$")],
    Annotated[str, Field(pattern=r"^(?:AT|DE)-[a-f]+_\w?$")],
    Annotated[str, Field(pattern=r"^\p{Lu}\p{Ll}+$")],
    Annotated[str, Field(pattern=r"[0-9]+\.[0-9]{2} (EUR|USD)")],
    Annotated[str, Field(min_length=12, max_length=14)],
    Annotated[str, Field(max_length=2)],
    Annotated[int, Field(ge=7, lt=9)],
    Annotated[int, Field(gt=100, multiple_of=7)],
    Annotated[int, Field(le=-3)],
    Annotated[float, Field(gt=0, lt=0.5)],
    Annotated[float, Field(multiple_of=0.1)],
    Annotated[list[int], Field(min_length=3)],
    Annotated[set[Annotated[str, Field(max_length=4)]], Field(min_length=4)],
    Annotated[set[Colour], Field(min_length=2)],
    Annotated[set[UUID], Field(min_length=3)],
    Annotated[list[Card], Field(min_length=1, max_length=2)],
    Annotated[dict[str, int], Field(min_length=2)],
    tuple[int, Annotated[str, Field(pattern="^x+$")]],
    list[tuple[str, ...]],
)  # fmt: skip
# Of these pydantic's schema says less than is checked.
LOOSE: tuple[Any, ...] = (
    Annotated[Decimal, Field(gt=Decimal("10.5"), max_digits=6, decimal_places=2)],
    dict[Annotated[str, Field(pattern="^[a-z]{3}$")], int],
)


@st.composite
def models(draw: st.DrawFn) -> type[BaseModel]:
    """Draw a model with some of these fields, some of which have no default."""
    chosen = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6))
    fields: dict[str, Any] = {}
    for number, each in enumerate(chosen):
        fields[f"field{number}"] = (each, ...) if draw(st.booleans()) else (each | None, None)
    config = ConfigDict(extra="forbid") if draw(st.booleans()) else None
    return create_model("Request", __config__=config, **fields)
