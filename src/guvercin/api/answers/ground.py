"""What every answer is made of."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ClockTime = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$")]

IsoTime = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Answered(BaseModel):
    """A part of an answer. Built by attribute names, written and documented by wire names."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,  # a model is made ready by its first answer: most of them are never given between two starts
    )


class Done(Answered):
    """It was done; there is nothing to tell."""

    ok: Literal[True]


class Succeeded(Answered):
    """It was done, in the envelope of the addresses beside `/whatsapp`."""

    success: Literal[True]


class SucceededWith(Succeeded):
    """It was done; here is a sentence about it."""

    message: str


def is_absent(value: object) -> bool:
    """Say whether a key with this value is left out."""
    return value is None
