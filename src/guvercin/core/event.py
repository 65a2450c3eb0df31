"""The event table's words: one row for every change, written in the transaction of that change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from guvercin.core.errors import Code
from guvercin.core.message import Status, WaitsFor


class EventKind(StrEnum):
    """What happened, in the wire's words."""

    MESSAGE_ACCEPTED = "mesaj.kabul_edildi"
    MESSAGE_CLAIMED = "mesaj.gonderiliyor"
    MESSAGE_DEFERRED = "mesaj.ertelendi"
    MESSAGE_SENT = "mesaj.gonderildi"
    MESSAGE_DELIVERED = "mesaj.iletildi"
    MESSAGE_READ = "mesaj.okundu"
    MESSAGE_FAILED = "mesaj.basarisiz"
    MESSAGE_UNKNOWN = "mesaj.belirsiz"
    MESSAGE_CANCELLED = "mesaj.iptal_edildi"
    MESSAGE_RELEASED = "mesaj.sirada"
    MESSAGE_HELD = "mesaj.bekletildi"
    MESSAGE_RECEIVED = "mesaj.alindi"
    INBOX_READ = "gelen.okundu"
    NOT_UNDERSTOOD = "hesap.anlasilmadi"
    BATCH_ACCEPTED = "toplu.kabul_edildi"
    BATCH_PAUSED = "toplu.durduruldu"
    BATCH_RESUMED = "toplu.surduruldu"
    BATCH_CANCELLED = "toplu.iptal_edildi"
    BATCH_FINISHED = "toplu.tamamlandi"
    ACCOUNT_CHANGED = "hesap.degisti"
    LINE_CHANGED = "hesap.durum_degisti"
    OPTED_OUT = "ret.eklendi"
    OPTED_IN = "ret.kaldirildi"
    OPT_OUT_DOUBTED = "ret.bakilacak"
    CONSENTED = "onay.eklendi"
    BATCH_DECLARED = "toplu.beyan_edildi"
    BATCH_SOUNDS_COMMERCIAL = "toplu.kampanya_sozu"
    CATEGORY_CHANGED = "tur.degisti"
    HOOK_CLOSED = "webhook.kapatildi"
    ALERT_RAISED = "uyari.acildi"
    ALERT_CLEARED = "uyari.bitti"


OF_STATUS: Mapping[Status, EventKind] = MappingProxyType(
    {
        Status.QUEUED: EventKind.MESSAGE_DEFERRED,
        Status.SENDING: EventKind.MESSAGE_CLAIMED,
        Status.UNKNOWN: EventKind.MESSAGE_UNKNOWN,
        Status.SENT: EventKind.MESSAGE_SENT,
        Status.DELIVERED: EventKind.MESSAGE_DELIVERED,
        Status.READ: EventKind.MESSAGE_READ,
        Status.FAILED: EventKind.MESSAGE_FAILED,
        Status.CANCELLED: EventKind.MESSAGE_CANCELLED,
    },
)
"""The event that tells of a message's arrival in a status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of the spine. `id` is the cursor; `detail` holds codes and ids, never a text or a number."""

    id: int
    at: datetime
    kind: EventKind
    account_id: int | None
    message_id: int | None
    batch_id: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a message stands now, in short: what a waiting caller needs and what a commit announces."""

    id: int
    account_id: int
    batch_id: int | None
    status: Status
    reason: Code | None = None
    remote_id: str | None = None
    waits_for: WaitsFor | None = None
