"""What comes in over HTTP, and what a ticker carries; both are checked before anything is stored."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

# One plain address: the pattern browsers use, so that a header can hold nothing but one recipient.
EMAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"

Email = Annotated[str, StringConstraints(max_length=254, pattern=EMAIL)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$"),
]


class RegisterRequest(BaseModel):
    """The JSON body of a registration."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    name: Name


class WelcomeEmailRequest(BaseModel):
    """What SendWelcomeEmail needs to know."""

    email: str
    name: str
    user_id: UUID
