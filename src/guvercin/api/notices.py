"""What happened, as other programs read it: the bodies of webhooks and the rows of the event feed are the same.

`type`, `timestamp` and `data` are Standard Webhooks' names; what is inside `data` speaks as the API does. A body
depends on its event alone: every try of a delivery says the same, but for what was erased meanwhile. What somebody
wrote to us is in it; no text of ours is, and no secret.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any

import orjson

from guvercin.api.render.ground import PREFIX, clock_time, iso_time
from guvercin.core.account import LineState
from guvercin.core.errors import Code
from guvercin.core.event import OF_STATUS
from guvercin.core.hook import HookEvent, Notice
from guvercin.core.inbound import Received

LONGEST_TEXT = 8_000
"""Letters of what somebody wrote that a body holds: a body has at most 20 kB (Standard Webhooks)."""

_ROOM = 16_000
"""Bytes that they may take."""

TRIAL = "webhook.deneme"
"""The type of a body that tells of nothing: its owner tries an address out."""

_STATUSES: Mapping[str, str] = MappingProxyType({kind.value: status.value for status, kind in OF_STATUS.items()})

_LINES: Mapping[str, str] = MappingProxyType(
    {
        LineState.CONNECTED.value: "connected",
        LineState.CONNECTING.value: "connecting",
        LineState.WAITING.value: "connecting",
        LineState.PAIRING.value: "pairing",
        LineState.BANNED.value: "banned",
    },
)
"""The wire's word for a line's state; every other one is `disconnected`."""

_SHUT_OUT = frozenset({Code.LOCKED.value, Code.CLOSED.value})


def document(notice: Notice, zone: tzinfo) -> dict[str, Any]:
    """Answer an event as it is told."""
    return {"type": notice.kind.value, "timestamp": iso_time(notice.at, zone), "data": _data(notice, zone)}


def body(notice: Notice, zone: tzinfo) -> bytes:
    """Answer the body of an event's webhook."""
    return orjson.dumps(document(notice, zone))


def trial(at: datetime, zone: tzinfo) -> bytes:
    """Answer the body of a trial."""
    return orjson.dumps({"type": TRIAL, "timestamp": iso_time(at, zone), "data": {"deneme": True}})


def _data(notice: Notice, zone: tzinfo) -> dict[str, Any]:
    match notice.kind:
        case HookEvent.LINE_CHANGED:
            state, code = notice.detail.get("durum"), notice.detail.get("kod")
            word = "banned" if code in _SHUT_OUT else _LINES.get(str(state), "disconnected")
            return {"hesap_id": notice.account_id, "durum": word, "kod": code}
        case HookEvent.BATCH_FINISHED:
            return {"toplu_id": notice.batch_id, "hesap_id": notice.account_id, **_counts(notice.detail)}
        case HookEvent.ALERT_RAISED | HookEvent.ALERT_CLEARED:
            return dict(notice.detail)
        case HookEvent.RECEIVED if notice.received is not None:
            return _of_inbox(notice.received, zone)
        case HookEvent.RECEIVED | HookEvent.OPTED_OUT:
            return {"hesap_id": notice.account_id, **notice.detail}
        case _:
            return _of_message(notice)


def told(message: Received, zone: tzinfo) -> dict[str, Any]:
    """Answer what is told of a message that came in: by webhook, in the feed and in the inbox."""
    return {
        "id": message.id,
        "hesap_id": message.account_id,
        "gonderen": message.sender,
        "isim": message.sender_name,
        "tip": message.kind.value,
        "metin": message.text,
        "medya": _media(message),
        "message_id": message.remote_id,
        "zaman": clock_time(message.wrote_at, zone),
        "zaman_iso": iso_time(message.wrote_at, zone),
    }


def _media(message: Received) -> dict[str, Any] | None:
    """Answer what is told of a message's file, and where it is fetched from; never how it is opened."""
    media = message.media
    if media is None:
        return None
    url = f"{PREFIX}/gelen/{message.id}/dosya" if message.has_file else None
    return {"tur": media.type, "ad": media.name, "boyut": media.size, "dosya_url": url}


def _of_inbox(message: Received, zone: tzinfo) -> dict[str, Any]:
    """Answer a message that came in, its text as far as a body has room for it."""
    kept = None if message.text is None else message.text[:LONGEST_TEXT]
    while kept and len(orjson.dumps(kept)) > _ROOM:
        kept = kept[: len(kept) // 2]
    return told(replace(message, text=kept), zone) | {"kisaltildi": kept != message.text}


def _of_message(notice: Notice) -> dict[str, Any]:
    return {
        "log_id": notice.message_id,
        "durum": _STATUSES[notice.kind.value],
        "alici": notice.recipient,
        "isim": notice.recipient_name,
        "message_id": notice.detail.get("message_id") or notice.remote_id,
        "neden": notice.detail.get("neden"),
        "tur_id": notice.category,
        "hesap_id": notice.account_id,
        "toplu_id": notice.batch_id,
        "referans": notice.reference,
    }


def _counts(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the four figures of a batch as its sender reads them: total = sent + failed + queued."""
    by_status: Mapping[str, int] = detail.get("dagilim", {})
    sent = sum(by_status.get(word, 0) for word in ("sent", "delivered", "read"))
    failed = sum(by_status.get(word, 0) for word in ("failed", "cancelled"))
    total = int(detail.get("toplam", 0))
    return {"total": total, "sent": sent, "failed": failed, "queued": total - sent - failed, "dagilim": by_status}
