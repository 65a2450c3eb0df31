"""What Meta takes and what it refuses, and in which words."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

LONGEST_TEXT = 4_096
LONGEST_CAPTION = 1_024
LONGEST_OPAQUE = 512

_MB = 1024 * 1024
MEDIA: Mapping[str, int] = MappingProxyType(
    {
        "image/jpeg": 5 * _MB,
        "image/png": 5 * _MB,
        "image/webp": 100 * _MB,
        "application/pdf": 100 * _MB,
        "text/plain": 100 * _MB,
        "audio/ogg": 16 * _MB,
        "video/mp4": 16 * _MB,
    },
)
"""The media types that an upload may have, and their largest sizes. Pictures above theirs go as documents."""

LARGEST_DOCUMENT = 100 * _MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal as Meta writes it."""

    code: int
    status: int = 400
    subcode: int | None = None
    title: str = "Error"
    details: str = ""
    is_transient: bool | None = None

    def body(self, trace: str) -> dict[str, Any]:
        """Write the answer's body."""
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.title}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details or self.title},
            "fbtrace_id": trace,
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.is_transient is not None:
            error["is_transient"] = self.is_transient
        return {"error": error}


_STATUS: Mapping[int, int] = MappingProxyType(
    {
        190: 401,
        0: 401,
        2: 503,
        133004: 503,
        131000: 500,
        131016: 500,
        131057: 500,
        10: 403,
        200: 403,
        368: 403,
        130497: 403,
        131031: 403,
    },
)
"""The HTTP status of the codes whose status is not 400, which says little enough."""

_TITLES: Mapping[int, str] = MappingProxyType(
    {
        100: "Invalid parameter",
        190: "Access token has expired",
        130429: "Rate limit hit",
        131026: "Message undeliverable",
        131047: "Re-engagement message",
        131051: "Unsupported message type",
        131056: "(Business Account, Consumer Account) pair rate limit hit",
        131057: "Account in maintenance mode",
        132001: "Template name does not exist in the translation",
    },
)


def fault(code: int, details: str = "", *, subcode: int | None = None) -> Fault:
    """Answer Meta's refusal of this code, with its status and title."""
    return Fault(
        code=code,
        status=_STATUS.get(code, 400),
        subcode=subcode,
        title=_TITLES.get(code, "Error"),
        details=details,
    )


_COMMON = frozenset(
    {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}
)
_DIGITS = re.compile(r"\+?[1-9][0-9]{6,14}")


def check_message(body: Any, *, media: AbstractSet[str], templates: AbstractSet[tuple[str, str]]) -> Fault | None:
    """Answer why a message is refused, or null. `media`: the uploads of this number; `templates`: names, languages."""
    if not isinstance(body, Mapping):
        return fault(100, "the body must be a JSON object")
    if body.get("messaging_product") != "whatsapp":
        return fault(100, "messaging_product must be whatsapp")
    if body.get("status") == "read":
        return None if isinstance(body.get("message_id"), str) else fault(100, "message_id is required")
    kind = body.get("type")
    if kind not in {"text", "document", "image", "template"}:
        return fault(131051, f"type {kind!r}")
    return _check_head(body, kind) or _check_part(body.get(kind), kind, media, templates)


def _check_head(body: Mapping[str, Any], kind: str) -> Fault | None:
    """Check what every message has."""
    if strange := sorted(body.keys() - _COMMON - {kind}):
        return fault(100, f"Unexpected key {strange[0]!r} on param")
    if body.get("recipient_type") != "individual":
        return fault(100, "recipient_type must be individual")
    to = body.get("to")
    if not isinstance(to, str) or _DIGITS.fullmatch(to) is None:
        return fault(100, "to must be a telephone number as text")
    opaque = body.get("biz_opaque_callback_data", "")
    if not isinstance(opaque, str) or len(opaque) > LONGEST_OPAQUE:
        return fault(100, f"biz_opaque_callback_data is a text of at most {LONGEST_OPAQUE}")
    return None


def _check_part(part: Any, kind: str, media: AbstractSet[str], templates: AbstractSet[tuple[str, str]]) -> Fault | None:
    if not isinstance(part, Mapping):
        return fault(131008, f"{kind} is required")
    match kind:
        case "text":
            return _check_text(part)
        case "template":
            return _check_template(part, media, templates)
        case _:
            return _check_media(part, kind, media)


def _check_text(part: Mapping[str, Any]) -> Fault | None:
    if part.keys() - {"body", "preview_url"}:
        return fault(100, "text has only body and preview_url")
    body = part.get("body")
    if not isinstance(body, str) or not body.strip():
        return fault(131008, "text.body is required")
    if len(body) > LONGEST_TEXT:
        return fault(100, f"text.body has at most {LONGEST_TEXT} characters")
    return None if isinstance(part.get("preview_url", False), bool) else fault(100, "preview_url is a boolean")


def _check_media(part: Mapping[str, Any], kind: str, media: AbstractSet[str], *, header: bool = False) -> Fault | None:
    allowed = {"id", "link"} | ({"filename"} if kind == "document" else set()) | (set() if header else {"caption"})
    if strange := sorted(part.keys() - allowed):
        return fault(100, f"Unexpected key {strange[0]!r} on param {kind!r}")
    if ("id" in part) == ("link" in part):
        return fault(100, f"{kind} needs exactly one of id and link")
    if any(not isinstance(value, str) for value in part.values()):
        return fault(100, f"every value of {kind} is a text")
    if len(part.get("caption", "")) > LONGEST_CAPTION:
        return fault(100, f"caption has at most {LONGEST_CAPTION} characters")
    if "id" in part and part["id"] not in media:
        return fault(100, f"Object with ID '{part['id']}' does not exist", subcode=33)
    return None


def _check_template(
    part: Mapping[str, Any], media: AbstractSet[str], templates: AbstractSet[tuple[str, str]]
) -> Fault | None:
    name, language = part.get("name"), part.get("language")
    code = language.get("code") if isinstance(language, Mapping) else None
    if not isinstance(name, str) or not isinstance(code, str):
        return fault(131008, "template.name and template.language.code are required")
    if (name, code) not in templates:
        return fault(132001, f"template name ({name}) does not exist in {code}")
    for component in part.get("components", ()):
        for parameter in component.get("parameters", ()):
            kind = parameter.get("type")
            if kind in {"document", "image"}:
                found = _check_media(parameter.get(kind, {}), kind, media, header=True)
            else:
                found = _check_value(parameter)
            if found is not None:
                return found
    return None


def _check_value(parameter: Mapping[str, Any]) -> Fault | None:
    value = parameter.get("text")
    if parameter.get("type") != "text" or not isinstance(value, str) or not value:
        return fault(132000, "a place of a template needs a text")
    if re.search(r"[\n\t]| {5}", value):
        return fault(132012, "a place of a template takes no line breaks, tabs or more than four spaces")
    return None


class Bucket:
    """A token bucket: `capacity` at once, one more every `refill`."""

    def __init__(self, capacity: float, refill: timedelta, at: float) -> None:
        self._capacity = self._level = capacity
        self._refill = refill.total_seconds()
        self._at = at

    def take(self, at: float) -> bool:
        """Take one, at this moment of the monotonic clock; false: there is none."""
        self._level = min(self._capacity, self._level + (at - self._at) / self._refill)
        self._at = at
        if self._level < 1:
            return False
        self._level -= 1
        return True
