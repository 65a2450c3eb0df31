"""What Meta tells us by webhook: bytes in, events out, item by item.

Laws
1. A body is believed by its signature alone, taken over the bytes as they came.
2. One item that can't be read never costs its neighbours anything: it becomes a NotUnderstood of its own.
3. Nothing is decided here. Statuses come doubled, late and in any order; the message's own table sorts them out.

Source: «webhooks» of the WhatsApp Business Platform. Since 2026 a customer may have no telephone number, so `wa_id`,
`from` and `recipient_id` may be missing everywhere.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import Inbound, LineEvent, NotUnderstood, Receipt, ReceiptKind, TransportEvent
from guvercin.transports.cloud.errors import MEANINGS, in_words
from guvercin.transports.cloud.payloads import error_of

_PREFIX = "sha256="

KINDS: Mapping[str, ReceiptKind] = MappingProxyType(
    {
        "sent": ReceiptKind.SERVER,
        "delivered": ReceiptKind.DELIVERED,
        "read": ReceiptKind.READ,
        "played": ReceiptKind.READ,
        "failed": ReceiptKind.FAILED,
    },
)

_CLOSING_EVENTS = frozenset({"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"})
_WORD = re.compile(r"[A-Za-z0-9_.]{1,60}")


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Say whether X-Hub-Signature-256 is that of these bytes. Takes as long for a wrong one as for a right one."""
    wanted = _PREFIX + hmac.new(secret.encode(), body, sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), signature.encode())


def is_same(word: str, wanted: str) -> bool:
    """Compare a word that the owner agreed on with Meta; an empty one agrees with nothing."""
    return bool(wanted) and hmac.compare_digest(word.encode(), wanted.encode())


def events(body: Any, *, number_id: str) -> list[TransportEvent]:
    """Answer everything that a body tells, in its order. `number_id`: what concerns another number is not ours."""
    found: list[TransportEvent] = []
    for field, value in _changes(body):
        if value is None:
            found.append(_unclear(field))
            continue
        metadata = value.get("metadata")
        other = metadata.get("phone_number_id") if isinstance(metadata, Mapping) else None
        if isinstance(other, str) and other != number_id:
            found.append(_unclear("another_number"))
            continue
        if field == "messages":
            found.extend(_messages(value))
        elif field == "account_update":
            found.append(_account_update(value))
        else:
            found.append(_unclear(field))
    return found


def _changes(body: Any) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Walk the envelope: every change of every entry, and a null for what isn't one."""
    entries = body.get("entry") if isinstance(body, Mapping) else None
    if not isinstance(entries, list):
        yield "envelope", None
        return
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, Mapping) else None
        if not isinstance(changes, list):
            yield "entry", None
            continue
        for change in changes:
            value = change.get("value") if isinstance(change, Mapping) else None
            field = str(change.get("field")) if isinstance(change, Mapping) else "change"
            yield field, value if isinstance(value, Mapping) else None


def _messages(value: Mapping[str, Any]) -> Iterator[TransportEvent]:
    has_any = False
    readers: tuple[tuple[str, Callable[[Any], TransportEvent]], ...] = (
        ("statuses", _status),
        ("messages", _inbound),
        ("errors", _error),
    )
    for key, read in readers:
        items = value.get(key)
        if items is None:
            continue
        has_any = True
        if not isinstance(items, list):
            yield _unclear(key)
            continue
        for item in items:
            try:
                yield read(item)
            except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
                yield _unclear(key)
    if not has_any:
        yield _unclear("messages.empty")


def _status(item: Any) -> TransportEvent:
    """Read one status. What can't be a status raises."""
    kind = KINDS.get(item["status"])
    if kind is None:
        return _unclear(f"status.{item['status']}")
    errors = item.get("errors")
    error = error_of({"error": errors[0]}) if isinstance(errors, list) and errors else None
    reason = detail = None
    if kind is ReceiptKind.FAILED:
        meant = None if error is None else MEANINGS.get(error.code)
        reason = _late(meant.reason) if meant is not None else Code.WHATSAPP_REFUSED
        detail = None if error is None else in_words(error)
    return Receipt(
        remote_id=_text(item["id"]),
        kind=kind,
        at=_moment(item["timestamp"]),
        reason=reason,
        message_id=_our_id(item.get("biz_opaque_callback_data")),
        detail=detail,
    )


_AS_THEY_ARE = frozenset({Code.NOT_ON_WHATSAPP, Code.NEEDS_TEMPLATE, Code.NEW_CHATS_RESTRICTED, Code.UNPAID})


def _late(reason: Code) -> Code:
    """Answer the reason of a message that Meta gave up on: what only a line can have is a plain refusal here."""
    return reason if reason in _AS_THEY_ARE else Code.WHATSAPP_REFUSED


def _inbound(item: Any) -> TransportEvent:
    sender = item.get("from")
    if item.get("type") == "system":
        return _unclear("messages.system")
    return Inbound(
        remote_id=_text(item["id"]),
        sender=f"+{sender}" if isinstance(sender, str) and sender.isdecimal() else _text(item["from_user_id"]),
        text=_words_of(item),
        at=_moment(item["timestamp"]),
    )


def _words_of(item: Mapping[str, Any]) -> str:
    """Answer what a customer wrote or pressed: opt-out words come by button as well."""
    part = item.get(str(item.get("type")))
    if not isinstance(part, Mapping):
        return ""
    reply = part.get("button_reply") or part.get("list_reply")
    if isinstance(reply, Mapping):
        part = reply
    found = part.get("body") or part.get("text") or part.get("title") or part.get("caption")
    return found if isinstance(found, str) else ""


def _error(item: Any) -> TransportEvent:
    error = error_of({"error": item})
    return _unclear("errors" if error is None else f"errors.{error.code}")


def _account_update(value: Mapping[str, Any]) -> TransportEvent:
    event = value.get("event")
    ban = value.get("ban_info")
    is_disabled = (
        event == "DISABLED_UPDATE" and isinstance(ban, Mapping) and ban.get("waba_ban_state") in {"DISABLE", "BAN"}
    )
    if event in _CLOSING_EVENTS or is_disabled:
        return LineEvent(news=LineNews.BLOCKED, code=Code.CLOSED)
    return _unclear(f"account_update.{event}")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 512:
        raise ValueError("not an id")
    return value


def _moment(value: Any) -> datetime:
    """Read Meta's seconds since 1970, which come as text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("not a moment")
    return datetime.fromtimestamp(int(value), UTC)


def _our_id(value: Any) -> int | None:
    """Read the id that we sent along. Another program's word on a shared number is none of ours."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 17:
        return int(value)
    return None


def _unclear(what: str) -> NotUnderstood:
    found = _WORD.fullmatch(what)
    return NotUnderstood(what=what if found else "unreadable")
