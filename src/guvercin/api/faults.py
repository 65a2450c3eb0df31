"""Validation errors of pydantic as field faults in our own few words.

The library knows a hundred kinds of error, in English and with the value inside. A client gets one of ten words, and
never its own value back.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from guvercin.core.errors import Code, FieldFault, GuvercinError
from guvercin.locale.faults import FAULTS, SAYS_NOTHING
from guvercin.locale.refusals import FIELDS

_NUMBER_LIMITS: Mapping[str, str] = MappingProxyType({"gt": ">", "ge": "≥", "lt": "<", "le": "≤"})

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "zorunlu",
        "extra_forbidden": "tanimsiz",
        "string_too_long": "uzun",
        "too_long": "uzun",
        "string_too_short": "kisa",
        "too_short": "kisa",
        "greater_than": "aralik",
        "greater_than_equal": "aralik",
        "less_than": "aralik",
        "less_than_equal": "aralik",
        "finite_number": "aralik",
        "int_parsing_size": "aralik",
        "literal_error": "secenek",
        "enum": "secenek",
    },
)
"""Pydantic's kind of error -> our word. Kinds of time and of type are known by their first word."""

_TIMES = frozenset({"datetime", "date", "time", "timezone"})

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "string": "string",
        "int": "integer",
        "float": "number",
        "bool": "boolean",
        "list": "array",
        "tuple": "array",
        "set": "array",
        "dict": "object",
        "model": "object",
        "none": "null",
    },
)
"""The first word of a type error -> the JSON type that was wanted, in the words of the API page."""

_WRONG_TYPE = ("_type", "_parsing", "_from_float")
"""How the names of type errors end."""

_CODES: Mapping[str, Code] = MappingProxyType(
    {
        "phone": Code.INVALID_PHONE,
        "category": Code.INVALID_CATEGORY,
        "planned_at": Code.INVALID_TIME,
        "lifetime": Code.INVALID_TIME,
    },
)
"""The code of an error in one field alone; fields that aren't named here answer INVALID_FIELD."""

_TEXT_CODES: Mapping[str, Code] = MappingProxyType(
    {
        "zorunlu": Code.EMPTY_TEXT,
        "bos": Code.EMPTY_TEXT,
        "kisa": Code.EMPTY_TEXT,
        "uzun": Code.LONG_TEXT,
    },
)
"""The code of an error in the text alone, by its fault."""


def invalid(errors: Sequence[Mapping[str, Any]], attributes: Mapping[str, str]) -> GuvercinError:
    """Answer pydantic's errors (`ValidationError.errors()`) as one error of ours.

    `attributes` maps wire names to English ones: what it doesn't know in an error's path is a type's name, not a
    field's, and is dropped. Of several errors in one field the first is told.
    """
    if any(error["type"] == "json_invalid" for error in errors):
        return GuvercinError(Code.BROKEN_JSON)
    if any(error["type"] == "string_unicode" for error in errors):
        return GuvercinError(Code.NOT_UTF8)
    faults: dict[str, FieldFault] = {}
    for error in errors:
        where = _path(error["loc"], attributes)
        faults.setdefault(where, _fault(where, error))
    found = tuple(faults.values())
    return GuvercinError(Code.INVALID_FIELD, faults=found)


def field_code(error: GuvercinError) -> Code:
    """Answer the code that an error goes by: one bad field has its own, several are INVALID_FIELD together."""
    if error.code not in FIELDS or not error.faults:
        return error.code
    if len(error.faults) > 1:
        return Code.INVALID_FIELD
    if error.code is not Code.INVALID_FIELD:
        return error.code
    fault = error.faults[0]
    name = fault.where.rpartition(".")[2]
    return _TEXT_CODES.get(fault.fault, Code.INVALID_FIELD) if name == "text" else _CODES.get(name, Code.INVALID_FIELD)


def _path(loc: Sequence[str | int], attributes: Mapping[str, str]) -> str:
    """Answer the English path of an error's place: from the first known name to the last."""
    parts = list(loc[1:] if loc and loc[0] in {"body", "query", "path", "header", "cookie"} else loc)
    while parts and isinstance(parts[-1], str) and parts[-1] not in attributes:
        parts.pop()
    if not parts:
        # A place that no wire name has: the body itself, or a header. A lone surrogate in it could not be answered.
        return str(loc[-1] if loc else "").encode("utf-8", "replace").decode()
    return ".".join(attributes.get(str(part), str(part)) for part in parts)


def _fault(where: str, error: Mapping[str, Any]) -> FieldFault:
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind in FAULTS:  # raised by our own models, under its own name
        return FieldFault(where, kind, context)
    fault = _word(kind)
    return FieldFault(where, fault, _params(fault, kind, context))


def _word(kind: str) -> str:
    """Answer our word for a kind of error."""
    first = kind.partition("_")[0]
    if kind in _KINDS:
        return _KINDS[kind]
    if first in _TIMES:
        return "gecersiz_zaman"
    return "tip" if first in _TYPES and kind.endswith(_WRONG_TYPE) else SAYS_NOTHING


def _params(fault: str, kind: str, context: Mapping[str, Any]) -> Mapping[str, str | int]:
    """Answer what a fault's better sentence has places for."""
    match fault:
        case "uzun":
            return {"limit": int(context["max_length"])}
        case "kisa":
            return {"limit": int(context["min_length"])}
        case "aralik":
            limits = [f"{sign} {context[name]}" for name, sign in _NUMBER_LIMITS.items() if name in context]
            return {"wanted": limits[0]} if limits else {}
        case "secenek":
            return {"wanted": str(context["expected"]).replace(" or ", ", ")}
        case "tip":
            return {"wanted": _TYPES[kind.partition("_")[0]]}
        case _:
            return {}
