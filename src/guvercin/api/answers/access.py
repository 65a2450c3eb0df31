"""What is answered to who signs in, and to who asks whether anybody is there."""

from typing import Annotated, Literal

from pydantic import Field

from guvercin.api.answers.ground import Answered, Done, Succeeded


class PassRecord(Answered):
    """A sign-in for a day."""

    token: str
    expires_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    token_type: Literal["Bearer"]


class PassAnswer(Succeeded):
    """`POST /auth/token`."""

    data: PassRecord


class Alive(Done):
    """`GET /saglik`."""

    version: Annotated[str, Field(alias="surum")]
