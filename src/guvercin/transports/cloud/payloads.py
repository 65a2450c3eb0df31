"""What we write to Meta's Graph API, as JSON, and what it answers: pure functions, no connection.

Meta's reference: «messages», «media» and «business phone numbers» of the WhatsApp Business Platform.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from guvercin.transports.base import Outgoing

LONGEST_TEXT = 4_096
LONGEST_CAPTION = 1_024

_MB = 1024 * 1024
LARGEST_DOCUMENT = 100 * _MB
LARGEST_IMAGE = 5 * _MB
_IMAGES = frozenset({"image/jpeg", "image/png"})

NUMBER_FIELDS = (
    "id,display_phone_number,verified_name,quality_rating,throughput,status,whatsapp_business_manager_messaging_limit"
)
"""What is asked of a number: who it is, whether it may send, and how fast."""


def media_kind(media_type: str, size: int) -> str:
    """Answer what a file is sent as. A picture too large to be one still goes as a document."""
    return "image" if media_type in _IMAGES and size <= LARGEST_IMAGE else "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A template as it is sent: `parameters` are the values of its body's places, in order."""

    name: str
    language: str
    parameters: tuple[str, ...] = ()


def message(outgoing: Outgoing, media_id: str | None = None, form: Form | None = None) -> dict[str, Any]:
    """Write a message. `media_id` is the id of its uploaded file, needed if it has one; a form stands for its text."""
    written: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": outgoing.recipient.removeprefix("+"),
        "biz_opaque_callback_data": str(outgoing.message_id),
    }
    file = outgoing.file
    if form is not None:
        kind = None if file is None else media_kind(file.media_type, file.size)
        name = None if file is None else file.name
        return written | {"type": "template", "template": _template(form, kind, media_id, name)}
    if file is None or media_id is None:
        return written | {"type": "text", "text": {"body": outgoing.text or "", "preview_url": False}}
    kind = media_kind(file.media_type, file.size)
    return written | {"type": kind, kind: _media(kind, media_id, file.name, outgoing.text)}


def _media(kind: str, media_id: str, name: str, caption: str | None) -> dict[str, str]:
    media = {"id": media_id}
    if kind == "document":
        media["filename"] = name
    if caption:
        media["caption"] = caption
    return media


def _template(form: Form, kind: str | None, media_id: str | None, name: str | None) -> dict[str, Any]:
    components: list[dict[str, Any]] = []
    if kind is not None and media_id is not None:
        header = {"type": kind, kind: _media(kind, media_id, name or "", None)}
        components.append({"type": "header", "parameters": [header]})
    if form.parameters:
        places = [{"type": "text", "text": value} for value in form.parameters]
        components.append({"type": "body", "parameters": places})
    written: dict[str, Any] = {"name": form.name, "language": {"code": form.language}}
    return written | ({"components": components} if components else {})


def mark_read(remote_id: str) -> dict[str, Any]:
    """Write that we have read a message of a customer."""
    return {"messaging_product": "whatsapp", "status": "read", "message_id": remote_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphError:
    """Meta's structured refusal. `trace` finds it at Meta's support; `details` is Meta's own sentence."""

    code: int
    subcode: int | None = None
    is_transient: bool = False
    details: str = ""
    trace: str | None = None


def error_of(body: Any) -> GraphError | None:
    """Read the error of an answer's JSON; null if there is none that can be read."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping) or type(code := error.get("code")) is not int:
        return None
    subcode, trace, more = error.get("error_subcode"), error.get("fbtrace_id"), error.get("error_data")
    details = more.get("details") if isinstance(more, Mapping) else more
    said = details if isinstance(details, str) and details else error.get("message")
    return GraphError(
        code=code,
        subcode=subcode if type(subcode) is int else None,
        is_transient=error.get("is_transient") is True,
        details=said if isinstance(said, str) else "",
        trace=trace if isinstance(trace, str) else None,
    )


def remote_id_of(body: Any) -> str | None:
    """Read the id that a message was accepted under; null if the answer has none."""
    try:
        found = body["messages"][0]["id"]
    except (KeyError, IndexError, TypeError):
        return None
    return found if isinstance(found, str) and found else None


def media_id_of(body: Any) -> str | None:
    """Read the id of an upload; null if the answer has none."""
    found = body.get("id") if isinstance(body, Mapping) else None
    return str(found) if isinstance(found, str | int) and found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberState:
    """What Meta says of one of its numbers. `per_second` is how many messages it may carry; `phone` is E.164."""

    phone: str | None
    status: str
    quality: str
    per_second: int
    tier: str | None


STANDARD, HIGH = 80, 1_000
"""Messages a second, in and out together."""

_CAN_SEND = frozenset({"", "CONNECTED", "FLAGGED", "UNKNOWN"})
"""A flagged number still sends; Meta names no state for numbers of some kinds."""


def number_of(body: Any) -> NumberState | None:
    """Read the answer about a number; null if it isn't one."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        return None
    shown, speed = body.get("display_phone_number"), body.get("throughput")
    digits = "".join(filter(str.isdecimal, shown)) if isinstance(shown, str) else ""
    level = speed.get("level") if isinstance(speed, Mapping) else None
    tier = body.get("whatsapp_business_manager_messaging_limit")
    return NumberState(
        phone=f"+{digits}" if digits else None,
        status=_word(body.get("status")),
        quality=_word(body.get("quality_rating")),
        per_second=HIGH if level == "HIGH" else STANDARD,
        tier=tier if isinstance(tier, str) else None,
    )


def can_send(state: NumberState) -> bool:
    """Say whether Meta takes messages from a number in this state."""
    return state.status in _CAN_SEND


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def decode(raw: bytes) -> Any:
    """Read JSON; null if it is none. An edge server may answer HTML with any status."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
