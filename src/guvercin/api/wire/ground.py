"""What every request is made of: how its fields are read, and those that several requests have."""

import re
from datetime import date, datetime
from typing import Annotated, Any, LiteralString

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr
from pydantic_core import PydanticCustomError

from guvercin.core.category import LARGEST_ID
from guvercin.locale import sentence

MOST_RECIPIENTS = 10_000

LARGEST_INTEGER = 2**53 - 1
"""The largest id that every JSON reader keeps exactly."""

_MOST_DIGITS = len(str(LARGEST_INTEGER)) - 1
"""Digits of a quoted integer: as many as can't be too many."""


def fault(name: LiteralString) -> PydanticCustomError:
    """Build an error that goes by one of the fault words of `locale.faults`."""
    return PydanticCustomError(name, name)


def read_phone(value: Any) -> Any:
    """Take a number as it is written, with quotes or without. Nothing else."""
    if type(value) is str or type(value) is int:
        return value
    raise fault("yazi_degil")


def _read_whole(value: Any) -> Any:
    """Read `"5"` and `5.0` as 5: old clients quote their integers, and to JSON 5.0 is an integer. Nothing else."""
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    return value


def read_float(value: Any) -> Any:
    """Read `5.0` as 5: to JSON it is an integer."""
    return int(value) if type(value) is float and value.is_integer() else value


MOMENT = r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?$"

_DAY = r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$"


def read_moment(value: Any) -> Any:
    """Read `2026-02-23 14:30:00` (naive: the configured zone is put to it later) or ISO 8601 with an offset."""
    if value is None:
        return None
    if type(value) is not str:
        raise fault("tip")
    if re.fullmatch(MOMENT, value) is None:
        raise fault("gecersiz_zaman")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise fault("gecersiz_zaman") from None


def _read_day_or_moment(value: Any) -> Any:
    """Read a bound of a list: a day (a date), or a moment as above."""
    if type(value) is str and re.fullmatch(_DAY, value):
        return read_moment(f"{value} 00:00:00").date()
    return read_moment(value)


def empty_is_none(value: str | None) -> str | None:
    """Read an empty text as none."""
    return value or None


def also_quoted(least: int, most: int, *, quoted: str) -> BeforeValidator:
    """Read an optional integer leniently, and document what is read: the integer, or its digits in quotes."""
    digits = Annotated[str, Field(pattern=quoted, max_length=_MOST_DIGITS)]
    documented = Annotated[int, Field(ge=least, le=most)] | digits | None
    return BeforeValidator(_read_whole, json_schema_input_type=documented)


_MomentText = Annotated[str, Field(pattern=MOMENT)] | None

Phone = Annotated[
    str | int,
    BeforeValidator(read_phone, json_schema_input_type=str | int),
    Field(
        alias="telefon",
        description=sentence(
            "The recipient's number (+905XXXXXXXXX); every way in which it is written in Turkey is read."
        ),
    ),
]

Name = Annotated[
    StrictStr | None,
    Field(alias="isim", max_length=200, description=sentence("The recipient's name (for the log).")),
    AfterValidator(empty_is_none),
]

CategoryId = Annotated[
    int | None,
    Field(strict=True, ge=1, le=LARGEST_ID),
    also_quoted(1, LARGEST_ID, quoted="^0*[1-9][0-9]{0,5}$"),
    Field(alias="tur_id", description=sentence("The category's ID (default: 10 = general).")),
]

AnyAccountId = Annotated[
    int | None,
    Field(alias="hesap_id", strict=True, ge=1, le=LARGEST_INTEGER),
    also_quoted(1, LARGEST_INTEGER, quoted="^0*[1-9][0-9]{0,14}$"),
]
"""`hesap_id` of a body, whatever it means there."""

AccountId = Annotated[
    AnyAccountId, Field(description=sentence("The account that sends; without it, the default account."))
]

Reference = Annotated[
    StrictStr | None,
    Field(
        alias="referans",
        max_length=100,
        description=sentence("A number of your own; you can search by it and cancel by it."),
    ),
    AfterValidator(empty_is_none),
]

PlannedAt = Annotated[
    datetime | None,
    BeforeValidator(read_moment, json_schema_input_type=_MomentText),
    Field(
        alias="planlanan_zaman",
        description=sentence(
            "It is not sent before this time: 2026-02-23 14:30:00 (in the server's time zone) or ISO 8601."
        ),
    ),
]

LifetimeMinutes = Annotated[
    int | None,
    Field(strict=True, ge=1, le=43_200),
    also_quoted(1, 43_200, quoted="^0*([1-9][0-9]{0,3}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)$"),
    Field(
        alias="gecerlilik_dk",
        description=sentence("Minutes after which it must not leave any more (at most 43200, that is 30 days)."),
    ),
]

FilePathText = Annotated[
    StrictStr | None,
    Field(alias="dosya_yolu", max_length=1024, description=sentence("The path of the file on the server.")),
    AfterValidator(empty_is_none),
]

Id = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]

DayOrMoment = Annotated[
    datetime | date | None,
    BeforeValidator(
        _read_day_or_moment,
        json_schema_input_type=Annotated[str, Field(pattern=f"{_DAY}|{MOMENT}")] | None,
    ),
]

After = Annotated[
    str | None,
    Field(alias="sonra", max_length=20, description=sentence("The value «sonraki» of the page before.")),
]

Limit = Annotated[int, Field(alias="limit", ge=1, le=200, description=sentence("Rows of a page (at most 200)."))]


class Asked(BaseModel):
    """A request as its client wrote it."""

    model_config = ConfigDict(extra="ignore", frozen=True)
