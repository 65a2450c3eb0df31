"""What a customer's message holds, read from Meta's JSON: its kind, its words, its file's label.

Nothing is fetched; of a file Meta's id is kept, for whoever asks for it later.

Source: «messages» webhooks of the WhatsApp Business Platform. A type that has no name here is OTHER, and is kept.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

from guvercin.core.inbound import InboundKind as Kind
from guvercin.core.inbound import Media

_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "text": Kind.TEXT,
        "image": Kind.IMAGE,
        "video": Kind.VIDEO,
        "audio": Kind.AUDIO,
        "document": Kind.DOCUMENT,
        "sticker": Kind.STICKER,
        "location": Kind.LOCATION,
        "contacts": Kind.CONTACT,
        "reaction": Kind.REACTION,
        "button": Kind.CHOICE,
        "interactive": Kind.CHOICE,
    },
)
_WITH_A_FILE = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.DOCUMENT, Kind.STICKER})


_MEDIA_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
"""What may stand in an address of Graph."""


def kind_of(item: Mapping[str, Any]) -> Kind:
    """Answer what a message is."""
    return _KINDS.get(str(item.get("type")), Kind.OTHER)


def words_of(item: Mapping[str, Any]) -> str:
    """Answer what a customer wrote or pressed, who they sent, or where they are; empty for what has no words."""
    part = item.get(str(item.get("type")))
    match kind_of(item):
        case Kind.CONTACT:
            return ", ".join(filter(None, map(_name_of, part if isinstance(part, list) else ())))
        case Kind.LOCATION if isinstance(part, Mapping):
            return _place(part)
        case Kind.REACTION if isinstance(part, Mapping):
            return _text(part.get("emoji"))
    if not isinstance(part, Mapping):
        return ""
    reply = part.get("button_reply") or part.get("list_reply")
    if isinstance(reply, Mapping):
        part = reply
    return _text(part.get("body") or part.get("text") or part.get("title") or part.get("caption"))


def media_of(item: Mapping[str, Any]) -> Media | None:
    """Answer what is known of a message's file; Meta says no size."""
    part = item.get(str(item.get("type")))
    if kind_of(item) not in _WITH_A_FILE or not isinstance(part, Mapping):
        return None
    return Media(type=_text(part.get("mime_type")) or None, name=_text(part.get("filename")) or None)


def source_of(item: Mapping[str, Any]) -> bytes | None:
    """Answer what `fetch` needs for a message's file: Meta's id of it (good for some days), and its SHA-256."""
    part = item.get(str(item.get("type")))
    if kind_of(item) not in _WITH_A_FILE or not isinstance(part, Mapping):
        return None
    media_id = _text(part.get("id"))
    return (
        orjson.dumps({"id": media_id, "sha256": _text(part.get("sha256"))}) if _MEDIA_ID.fullmatch(media_id) else None
    )


def names_in(value: Mapping[str, Any]) -> Mapping[str, str]:
    """Answer the names that customers gave themselves, by their number's digits or Meta's own id of them."""
    contacts = value.get("contacts")
    found: dict[str, str] = {}
    for contact in contacts if isinstance(contacts, list) else ():
        if not isinstance(contact, Mapping) or not isinstance(profile := contact.get("profile"), Mapping):
            continue
        name = _text(profile.get("name"))
        for who in (contact.get("wa_id"), contact.get("user_id")):
            if name and isinstance(who, str):
                found[who] = name
    return found


def _name_of(contact: Any) -> str:
    name = contact.get("name") if isinstance(contact, Mapping) else None
    return _text(name.get("formatted_name")) if isinstance(name, Mapping) else ""


def _place(part: Mapping[str, Any]) -> str:
    where = ", ".join(
        f"{part[side]:.6f}" for side in ("latitude", "longitude") if isinstance(part.get(side), float | int)
    )
    return "\n".join(filter(None, (_text(part.get("name")), _text(part.get("address")), where)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
