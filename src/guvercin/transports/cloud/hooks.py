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
from functools import partial
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import orjson

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import (
    Inbound,
    LineEvent,
    NotUnderstood,
    NumberNews,
    Preference,
    Receipt,
    ReceiptKind,
    Restricted,
    TemplateNews,
    TransportEvent,
)
from guvercin.transports.cloud.contents import kind_of, media_of, names_in, source_of, words_of
from guvercin.transports.cloud.errors import MEANINGS, Kind, Meaning, in_words
from guvercin.transports.cloud.payloads import GraphError, error_of

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
_CLOSING_BANS = frozenset({"DISABLE", "BAN"})
_NEWS_OF_THE_ACCOUNT = frozenset({"ACCOUNT_VIOLATION", "DISABLED_UPDATE", "VERIFIED_ACCOUNT"})
_USABLE = frozenset({"APPROVED", "REINSTATED", "UNPAUSED"})
_STOPPED = frozenset({"DELETED", "DISABLED", "LIMIT_EXCEEDED", "PAUSED", "PENDING_DELETION", "REJECTED"})
_WORD = re.compile(r"[A-Za-z0-9_.]{1,60}")
_TROUBLE = (KeyError, TypeError, ValueError, OverflowError, AttributeError)
"""What reading a thing of another shape can raise."""

KEPT_OF_A_BODY = 4_096
"""Letters that are kept of what nobody understood: enough to understand it later."""

_Events = Iterator[TransportEvent]


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
        if not isinstance(value, Mapping):
            found.append(_unclear(field, value))
            continue
        metadata = value.get("metadata")
        other = metadata.get("phone_number_id") if isinstance(metadata, Mapping) else None
        if isinstance(other, str) and other != number_id:
            found.append(_unclear("another_number", value))
            continue
        found.extend(_of_field(field, value))
    return found


def _of_field(field: str, value: Mapping[str, Any]) -> list[TransportEvent]:
    """Read one change; one that can't be read is told as that."""
    read = _READERS.get(field)
    try:
        return list(read(value)) if read is not None else [_unclear(field, value)]
    except _TROUBLE:
        return [_unclear(field, value)]


def _changes(body: Any) -> Iterator[tuple[str, Any]]:
    """Walk the envelope: every change of every entry, and what stands in the place of one."""
    entries = body.get("entry") if isinstance(body, Mapping) else None
    if not isinstance(entries, list):
        yield "envelope", [body]
        return
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, Mapping) else None
        if not isinstance(changes, list):
            yield "entry", [entry]
            continue
        for change in changes:
            if isinstance(change, Mapping):
                yield str(change.get("field")), change.get("value")
            else:
                yield "change", [change]


def _messages(value: Mapping[str, Any]) -> _Events:
    has_any = False
    readers: tuple[tuple[str, Callable[[Any], _Events]], ...] = (
        ("statuses", _status),
        ("messages", partial(_inbound, names=names_in(value))),
        ("errors", _error),
    )
    for key, read in readers:
        if value.get(key) is None:
            continue
        has_any = True
        yield from _items(value, key, read)
    if not has_any:
        yield _unclear("messages.empty", value)


def _items(value: Mapping[str, Any], key: str, read: Callable[[Any], _Events]) -> _Events:
    """Read each item of a list; one that can't be read is told as that."""
    items = value.get(key)
    if not isinstance(items, list):
        yield _unclear(key, items)
        return
    for item in items:
        try:
            events = tuple(read(item))
        except _TROUBLE:
            events = (_unclear(key, item),)
        yield from events


def _preferences(value: Mapping[str, Any]) -> _Events:
    yield from _items(value, "user_preferences", _preference)


def _status(item: Any) -> _Events:
    """Read one status. What can't be a status raises."""
    kind = KINDS.get(item["status"])
    if kind is None:
        yield _unclear(f"status.{item['status']}", item)
        return
    errors = item.get("errors")
    error = error_of({"error": errors[0]}) if isinstance(errors, list) and errors else None
    meant = None if error is None else MEANINGS.get(error.code)
    reason = detail = None
    if kind is ReceiptKind.FAILED:
        reason = _late(meant.reason) if meant is not None else Code.WHATSAPP_REFUSED
        detail = None if error is None else in_words(error)
    yield Receipt(
        remote_id=_text(item["id"]),
        kind=kind,
        at=_moment(item["timestamp"]),
        reason=reason,
        message_id=_our_id(item.get("biz_opaque_callback_data")),
        detail=detail,
    )
    yield from _beyond(meant)


_AS_THEY_ARE = frozenset(
    {
        Code.NOT_ON_WHATSAPP,
        Code.NEEDS_TEMPLATE,
        Code.NEW_CHATS_RESTRICTED,
        Code.TEMPLATE_STOPPED,
        Code.UNPAID,
        Code.OPTED_OUT,
    }
)


def _late(reason: Code) -> Code:
    """Answer the reason of a message that Meta gave up on: what only a line can have is a plain refusal here."""
    return reason if reason in _AS_THEY_ARE else Code.WHATSAPP_REFUSED


def _beyond(meant: Meaning | None) -> _Events:
    """Answer what an error that came late says of the line: what follows would only meet the same."""
    if meant is None:
        return
    if meant.kind is Kind.LINE_BLOCKED:
        yield LineEvent(news=LineNews.BLOCKED, code=meant.reason)
    if meant.kind is Kind.RESTRICTED:
        yield Restricted(code=meant.reason, is_active=True, stops_bulk=True)


def _inbound(item: Any, names: Mapping[str, str]) -> _Events:
    sender, user_id = item.get("from"), item.get("from_user_id")
    if item.get("type") == "system":
        yield _unclear("messages.system", item)
        return
    yield Inbound(
        remote_id=_text(item["id"]),
        sender=_person(sender, user_id),
        text=words_of(item),
        at=_moment(item["timestamp"]),
        kind=kind_of(item),
        sender_name=names.get(str(sender)) or names.get(str(user_id)),
        media=media_of(item),
        source=source_of(item),
    )


def _preference(item: Any) -> _Events:
    """Read what a customer chose about advertising: `stop` or `resume` (user_preferences)."""
    chosen = {"stop": False, "resume": True}.get(item["value"])
    if chosen is None or item["category"] != "marketing_messages":
        yield _unclear("user_preferences", item)
        return
    yield Preference(
        sender=_person(item.get("wa_id"), item.get("user_id")),
        wants_advertising=chosen,
        at=_moment(item["timestamp"]),
    )


def _person(number: Any, user_id: Any) -> str:
    """Answer who a customer is: the number in E.164, or Meta's own id of one who doesn't show it."""
    return f"+{number}" if isinstance(number, str) and number.isdecimal() else _text(user_id)


def _error(item: Any) -> _Events:
    """Read trouble that belongs to no message."""
    error: GraphError | None = error_of({"error": item})
    yield _unclear("errors" if error is None else f"errors.{error.code}", item)
    yield from _beyond(None if error is None else MEANINGS.get(error.code))


def _account_update(value: Mapping[str, Any]) -> _Events:
    event, ban = value.get("event"), value.get("ban_info")
    is_banned = isinstance(ban, Mapping) and ban.get("waba_ban_state") in _CLOSING_BANS
    if event in _CLOSING_EVENTS or (event == "DISABLED_UPDATE" and is_banned):
        yield LineEvent(news=LineNews.BLOCKED, code=Code.CLOSED)
    elif event == "ACCOUNT_RESTRICTION":
        ends = [_moment(each["expiration"]) for each in value.get("restriction_info") or () if each.get("expiration")]
        until = max(ends, default=None)
        yield Restricted(code=Code.NEW_CHATS_RESTRICTED, is_active=True, until=until, stops_bulk=True)
    elif event in _NEWS_OF_THE_ACCOUNT:
        yield NumberNews(what=_named(f"account_update.{event}"))
    else:
        yield _unclear(f"account_update.{event}", value)


def _template_update(value: Mapping[str, Any]) -> _Events:
    event = value["event"]
    if event not in _USABLE | _STOPPED:
        yield _unclear(f"message_template_status_update.{event}", value)
        return
    yield TemplateNews(
        name=_text(value["message_template_name"]),
        language=_text(value["message_template_language"]),
        is_usable=event in _USABLE,
        why=event,
    )


def _number_update(value: Mapping[str, Any]) -> _Events:
    yield NumberNews(what=_named(f"phone_number_quality_update.{value['event']}"))


def _capability_update(_: Mapping[str, Any]) -> _Events:
    yield NumberNews(what="business_capability_update")


_READERS: Mapping[str, Callable[[Mapping[str, Any]], _Events]] = MappingProxyType(
    {
        "messages": _messages,
        "user_preferences": _preferences,
        "account_update": _account_update,
        "message_template_status_update": _template_update,
        "phone_number_quality_update": _number_update,
        "business_capability_update": _capability_update,
    },
)
"""What each field is read with; of the others there is nothing that anybody here could do."""


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


def _named(what: str) -> str:
    """Answer a word that may stand in an event: whatever Meta sends, it is a word."""
    return what if _WORD.fullmatch(what) else "unreadable"


def _unclear(what: str, told: Any) -> NotUnderstood:
    try:
        body = orjson.dumps(told).decode()[:KEPT_OF_A_BODY]
    except TypeError:  # nested deeper than can be written again
        body = ""
    return NotUnderstood(what=_named(what), body=body)
