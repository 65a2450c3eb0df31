"""The life of a message: its states, what moves it between them, and nothing else.

Laws
1. Everything that can change a status stands in TRANSITIONS; code, tests and docs read that one table.
2. An Order is our decision and may be illegal: `advance` raises. News is what the world tells: it never raises,
   and what the table doesn't list changes nothing. So receipts may come twice, late or in any order.
3. UNKNOWN never becomes QUEUED by an Order: only proof that nothing left puts a message back in line (NEVER_LEFT, or
   its own late DEFERRED).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TypeAlias

from guvercin.core.errors import Code


class Status(StrEnum):
    """Where a message stands. The values are those of the wire and of the database."""

    QUEUED = "queued"
    """In line, or waiting for something named. Enters: acceptance, a deferral, proof that nothing left.
    Leaves: the dispatcher's claim, a cancel, expiry, a receipt of an earlier attempt. A crash here changes nothing:
    the row is the promise."""

    SENDING = "sending"
    """A transport has it. Enters: the claim, committed before any byte leaves. Leaves: the outcome.
    A crash here leaves the row behind; upkeep turns it into UNKNOWN and asks for evidence."""

    UNKNOWN = "unknown"
    """It may have left; nobody resends it by itself. Enters: a lost answer, a crash in mid-send. Leaves: evidence,
    a late receipt, or the owner. It has no lifetime and can't be cancelled. A crash here changes nothing."""

    SENT = "sent"
    """WhatsApp has it (one tick). Enters: the acknowledgement. Leaves: receipts, or a failure reported later."""

    DELIVERED = "delivered"
    """It is on the phone (two ticks). Enters: a receipt. Leaves: the read receipt."""

    READ = "read"
    """It was opened. Nothing leaves from here."""

    FAILED = "failed"
    """Given up; `reason` says why. A receipt still beats our verdict."""

    CANCELLED = "cancelled"
    """Withdrawn before it left. A receipt still beats our verdict."""


class Order(StrEnum):
    """What we decide. Illegal orders raise IllegalOrder."""

    CLAIM = "claim"
    CANCEL = "cancel"
    GIVE_UP = "give_up"


class News(StrEnum):
    """What the world tells us. News that changes nothing is ignored, never an error."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    LOST = "lost"
    NEVER_LEFT = "never_left"
    EXPIRED = "expired"
    SERVER = "server"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


Cause: TypeAlias = Order | News


_RECEIPTS: Mapping[Cause, Status] = {
    News.SERVER: Status.SENT,
    News.DELIVERED: Status.DELIVERED,
    News.READ: Status.READ,
}
_ANSWERS: Mapping[Cause, Status] = {
    News.ACCEPTED: Status.SENT,
    News.DEFERRED: Status.QUEUED,
    News.REFUSED: Status.FAILED,
    News.FAILED: Status.FAILED,
    **_RECEIPTS,
}
_SEEN: Mapping[Cause, Status] = {News.DELIVERED: Status.DELIVERED, News.READ: Status.READ}

TRANSITIONS: Mapping[Status, Mapping[Cause, Status]] = MappingProxyType(
    {
        Status.QUEUED: {
            Order.CLAIM: Status.SENDING,
            Order.CANCEL: Status.CANCELLED,
            News.REFUSED: Status.FAILED,
            News.EXPIRED: Status.FAILED,
            News.FAILED: Status.FAILED,  # listed for law 2: without it, failed and server would end by their order
            **_RECEIPTS,
        },
        Status.SENDING: {**_ANSWERS, News.LOST: Status.UNKNOWN},
        Status.UNKNOWN: {**_ANSWERS, News.NEVER_LEFT: Status.QUEUED, Order.GIVE_UP: Status.FAILED},
        Status.SENT: {**_SEEN, News.FAILED: Status.FAILED},
        Status.DELIVERED: {News.READ: Status.READ},
        Status.READ: {},
        Status.FAILED: _SEEN,
        Status.CANCELLED: _SEEN,
    },
)

FINISHED = frozenset({Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED, Status.CANCELLED, Status.UNKNOWN})
"""No longer in our hands: a waiting caller and a batch need not wait for more (UNKNOWN has its own figure)."""

WITH_WHATSAPP = frozenset({Status.SENT, Status.DELIVERED, Status.READ})
"""Acknowledged by WhatsApp: what the seed's answers count as sent."""


class IllegalOrder(Exception):  # noqa: N818 -- a word of the domain, like StopIteration
    """An Order that the present status doesn't allow. It is our own mistake or a race; nothing was changed."""

    def __init__(self, status: Status, order: Order) -> None:
        super().__init__(f"{order} is not allowed from {status}")
        self.status = status
        self.order = order


def advance(status: Status, cause: Cause) -> Status:
    """Answer the status after `cause`.

    News that the table doesn't list answers the same status; an Order that it doesn't list raises IllegalOrder.
    """
    after = TRANSITIONS[status].get(cause)
    if after is not None:
        return after
    if isinstance(cause, Order):
        raise IllegalOrder(status, cause)
    return status


class Lane(StrEnum):
    """The spacing class of a message: which gap of the account's pace it keeps from the send before it."""

    SINGLE = "single"
    BULK = "bulk"


class Track(StrEnum):
    """What a send counts as, by who is written to: each has its gap and its limits (core/pacing.py)."""

    SINGLE = "tekli"
    """A single message to somebody who isn't new, or of a kind that its recipient waits for."""

    KNOWN = "tanidik"
    """Bulk to somebody who has written to the account within the last 28 days."""

    EXISTING = "mevcut"
    """Bulk to a customer: something was delivered to them before, or their list was declared to be of customers."""

    NEW = "yeni"
    """Anybody else: a chat that the account begins."""


class Courtesy(StrEnum):
    """Which quiet hours a message keeps."""

    QUIET = "sessiz"
    NIGHT = "gece"


class Level(IntEnum):
    """How urgent a category is. Singles overtake bulk: see `priority`."""

    LOWEST = 0
    LOW = 1
    NORMAL = 2
    HIGH = 3


def priority(level: Level, lane: Lane) -> int:
    """Rank a message in its account's queue: any single before any bulk, then by level. Higher leaves first."""
    return level + (len(Level) if lane is Lane.SINGLE else 0)


class WaitsFor(StrEnum):
    """Why a queued row is not in line. Null in the database means: in line."""

    TIME = "zaman"
    RETRY = "tekrar_deneme"
    EARLIER = "onceki_mesaj"
    RESTORED = "geri_yuklendi"
    PAUSED = "toplu_durduruldu"
    NEW_NUMBER = "numara_degisti"
    REVIEW = "bakilacak"
    QUIET_HOURS = "sessiz_saat"
    HOURLY = "saatlik_sinir"
    DAILY = "gunluk_sinir"
    MONTHLY = "aylik_sinir"
    NEW_CLOSED = "yeni_hat_kapali"
    WARM_UP = "isinma"
    RECIPIENT = "alici_siniri"
    DISTANCE = "aralik"
    BREATHER = "mola"
    """Said of a bulk between two runs of messages; its rows stay in line."""


PACED = frozenset(
    {
        WaitsFor.QUIET_HOURS,
        WaitsFor.HOURLY,
        WaitsFor.DAILY,
        WaitsFor.MONTHLY,
        WaitsFor.NEW_CLOSED,
        WaitsFor.WARM_UP,
        WaitsFor.RECIPIENT,
        WaitsFor.DISTANCE,
    }
)
"""Waits that the account's pace asks for. They end by themselves, and their time is no part of a lifetime."""

HELD = frozenset({WaitsFor.RESTORED, WaitsFor.NEW_NUMBER})
"""Waits that only a person ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that we hold a copy of in the spool.

    `digest` is the SHA-256 in hex and the spool's name for it; `name` is what the recipient sees; size in bytes.
    """

    digest: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is sent: a text, or a file with an optional caption in `text`. At least one of both."""

    text: str | None = None
    file: File | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that its sender has asked for and that is not stored yet: everything but identity and fate.

    `recipient` is E.164; for a row that is stored as failed it may be the text as given (`reason` says why).
    `due_at` null means at once; `expires_at` is the moment after which it must not leave any more. `track` null: who
    is written to decides, when its turn comes. `owns_lifetime`: its sender said how long it may wait, by the wall.
    `is_head`: one of the first rows of its batch, which leave at the pace of singles. `loop_after`: so many singles of
    one token in a short while are a bulk, and this is a row of it. `variables`: what else is known of the recipient, by
    folded name, kept where a line may still ask for it.
    """

    account_id: int
    recipient: str
    content: Content
    category: int
    lane: Lane
    priority: int
    expires_at: datetime
    recipient_name: str | None = None
    reference: str | None = None
    due_at: datetime | None = None
    resend_of: int | None = None
    reason: Code | None = None
    warning: Code | None = None
    track: Track | None = None
    courtesy: Courtesy | None = None
    owns_lifetime: bool = False
    is_head: bool = False
    loop_after: int | None = None
    variables: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one recipient, as stored. `id` is the wire's log_id, `remote_id` WhatsApp's own id."""

    id: int
    account_id: int
    batch_id: int | None
    recipient: str
    recipient_name: str | None
    content: Content
    category: int
    lane: Lane
    priority: int
    status: Status
    reason: Code | None
    warning: Code | None
    waits_for: WaitsFor | None
    waits_until: datetime | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    remote_id: str | None
    attempts: int
    reference: str | None
    resend_of: int | None
    track: Track | None = None
    courtesy: Courtesy | None = None
    variables: Mapping[str, str] | None = None
