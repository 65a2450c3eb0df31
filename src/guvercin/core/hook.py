"""Hooks: addresses that hear what happened, and the deliveries on their way there.

Laws
1. The event table is the outbox: a hook is a place in it (`cursor`), and what lies before that place is done, unless a
   delivery of its own says otherwise.
2. Events of one subject (a recipient, else a batch, else an account) reach an address in their order: one that fails
   holds back the later ones of its subject, and nobody else's.
3. An event has one name at every try (`notice_id`): whoever hears it twice can tell.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from guvercin.core.inbound import Received
from guvercin.core.token import Token

_PREFIX = "whsec_"
KEY_BYTES = 32
"""Of a key that we make."""

_LEAST_KEY, _MOST_KEY = 24, 64
"""Bytes that a key may have (Standard Webhooks, «Signature scheme»)."""


def write_secret(key: bytes) -> str:
    """Answer a key as its owner keeps it."""
    return _PREFIX + base64.b64encode(key).decode()


def read_secret(written: str) -> bytes:
    """Answer the key in a secret. ValueError: it isn't one, or it is too short to be one."""
    if not written.startswith(_PREFIX):
        raise ValueError("a secret begins with whsec_")
    key = base64.b64decode(written.removeprefix(_PREFIX), validate=True)
    if not _LEAST_KEY <= len(key) <= _MOST_KEY:
        raise ValueError("a key has 24 to 64 bytes")
    return key


class HookEvent(StrEnum):
    """What an address may ask to hear: the event kinds that mean something to other programs."""

    SENT = "mesaj.gonderildi"
    DELIVERED = "mesaj.iletildi"
    READ = "mesaj.okundu"
    FAILED = "mesaj.basarisiz"
    UNKNOWN = "mesaj.belirsiz"
    RECEIVED = "mesaj.alindi"
    BATCH_FINISHED = "toplu.tamamlandi"
    LINE_CHANGED = "hesap.durum_degisti"
    OPTED_OUT = "ret.eklendi"
    ALERT_RAISED = "uyari.acildi"
    ALERT_CLEARED = "uyari.bitti"


class HookState(StrEnum):
    """How a hook is, in the wire's words."""

    ACTIVE = "aktif"
    FAILING = "hata_veriyor"
    CLOSED = "kapali"


class CloseReason(StrEnum):
    """Why a hook is closed."""

    OWNER = "sahibi_kapatti"
    GONE = "adres_kalkmis"
    FAILED_LONG = "uzun_sure_hata"
    NOT_OPENED = "anahtar_okunamadi"


class DeliveryState(StrEnum):
    """Where a delivery stands. WAITING holds back the later ones of its subject."""

    QUEUED = "sirada"
    WAITING = "bekliyor"
    DONE = "iletildi"
    GIVEN_UP = "vazgecildi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a hook's bodies are signed with, sealed; `before` signs too until `before_until`."""

    sealed: bytes
    before: bytes | None = None
    before_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One address.

    `account_ids` null: of all accounts. `cursor`: the last event that is done or has a delivery of its own; nothing
    before `first_id` was ever meant for it. `failing_since`: no delivery has worked since then.
    """

    id: int
    url: str
    events: frozenset[HookEvent]
    account_ids: frozenset[int] | None
    secrets: Secrets
    created_at: datetime
    first_id: int
    cursor: int
    failing_since: datetime | None = None
    delivered_at: datetime | None = None
    closed_at: datetime | None = None
    closed_for: CloseReason | None = None

    @property
    def state(self) -> HookState:
        """Say how it is."""
        if self.closed_at is not None:
            return HookState.CLOSED
        return HookState.ACTIVE if self.failing_since is None else HookState.FAILING

    def is_seen_by(self, token: Token) -> bool:
        """Say whether a token may know of it: a limited one only if every account of the hook is its own."""
        own = token.rules.account_ids
        return own is None or (self.account_ids is not None and self.account_ids <= own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far a hook is behind: deliveries that wait for another try, and when the oldest event was that it lacks."""

    hook: Hook
    waiting: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One event as other programs hear it, with what they need of its message: never a text of ours.

    `received`: what somebody wrote to us, if that is what happened.
    """

    id: int
    at: datetime
    kind: HookEvent
    account_id: int | None
    message_id: int | None
    batch_id: int | None
    detail: Mapping[str, Any]
    recipient: str | None = None
    recipient_name: str | None = None
    reference: str | None = None
    category: int | None = None
    remote_id: str | None = None
    received: Received | None = None

    @property
    def subject(self) -> int:
        """Answer whose order it keeps, as a number that tells nobody who that is."""
        sender = None if self.received is None else self.received.sender
        who = self.recipient or sender or (f"toplu {self.batch_id}" if self.batch_id is not None else "")
        digest = hashlib.blake2b(f"{self.account_id} {who}".encode(), digest_size=7).digest()
        return int.from_bytes(digest)


def notice_id(event_id: int, made_for: str = "msg") -> str:
    """Answer the name under which an event travels: the same at every try and at every address."""
    return f"{made_for}_{event_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one address, as its owner sees it. What went well at once has no tries to tell of."""

    notice: Notice
    state: DeliveryState
    tries: int
    tried_at: datetime | None = None
    next_at: datetime | None = None
    status: int | None = None
    trouble: str | None = None
    took_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came back at the last try. `shown` is the beginning of the answer, where it may be shown."""

    at: datetime
    status: int | None
    took_ms: int
    shown: str | None


MOST_HEARD = 200
"""Answers of one hook that are remembered."""


@dataclass(slots=True)
class Tally:
    """What the couriers of this process have done, for those who count.

    `heard`, by hook and event: the newest answers. They are kept here alone and never written down, because an answer
    may repeat what it was told.
    """

    taken: dict[int, int] = field(default_factory=dict)
    failed: dict[int, int] = field(default_factory=dict)
    heard: dict[int, dict[int, Heard]] = field(default_factory=dict)

    def count(self, hook_id: int, *, is_taken: bool) -> None:
        """Count one try."""
        table = self.taken if is_taken else self.failed
        table[hook_id] = table.get(hook_id, 0) + 1

    def remember(self, hook_id: int, event_id: int, heard: Heard) -> None:
        """Remember an answer; the oldest is forgotten."""
        answers = self.heard.setdefault(hook_id, {})
        answers.pop(event_id, None)
        answers[event_id] = heard
        if len(answers) > MOST_HEARD:
            del answers[next(iter(answers))]
