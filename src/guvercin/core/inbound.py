"""What people write to us: its kinds, what came with it, and how the inbox is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

LONGEST_TEXT = 65_536
"""Letters that are kept of a text: what WhatsApp itself lets a person write."""

LONGEST_NAME = 255
"""Letters that are kept of a person's or a file's name."""


class InboundKind(StrEnum):
    """What a message is, in the wire's words."""

    TEXT = "metin"
    IMAGE = "gorsel"
    VIDEO = "video"
    AUDIO = "ses"
    DOCUMENT = "belge"
    STICKER = "cikartma"
    LOCATION = "konum"
    CONTACT = "kisi"
    REACTION = "tepki"
    CHOICE = "secim"
    OTHER = "diger"


SPOKEN = frozenset(
    {InboundKind.TEXT, InboundKind.CHOICE, InboundKind.IMAGE, InboundKind.VIDEO, InboundKind.DOCUMENT},
)
"""Kinds whose text is the person's own word, or the button that they pressed: only these can refuse messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What is known of a file that came with a message. The file itself stays at WhatsApp until somebody asks for it.

    `size` is in bytes; null is what the network didn't say.
    """

    type: str | None = None
    name: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message of the inbox. `sender` and `remote_id` as in `outcome.Inbound`.

    `wrote_at` is the network's time, `received_at` ours; `read_at` null: nobody here has read it. `text` is null once
    it has been erased. `has_file`: its file can be asked for.
    """

    id: int
    account_id: int
    remote_id: str
    sender: str
    sender_name: str | None
    kind: InboundKind
    text: str | None
    media: Media | None
    wrote_at: datetime
    received_at: datetime
    read_at: datetime | None
    has_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOfInbox:
    """Where the file of one message is: in the spool under `digest`, and at WhatsApp by `source` (sealed).

    Both null: it can't be had any more.
    """

    received: Received
    source: bytes | None = field(repr=False)
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFilter:
    """Which messages of the inbox are asked for; null means any. `since` inclusive, by `received_at`.

    `account_ids` is the token's.
    """

    account_id: int | None = None
    account_ids: frozenset[int] | None = None
    sender: str | None = None
    since: datetime | None = None
    is_unread: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """One page of the inbox, newest first. `next_id`: ask for rows below it; null on the last page."""

    messages: Sequence[Received]
    next_id: int | None
