"""What a transport may tell us: the answer to one hand-over, and the news that comes by itself.

Certainty is a type here. A transport that isn't sure whether a message left says Lost; it never guesses.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.inbound import InboundKind, Media


class Scope(StrEnum):
    """The blast radius of a refusal: what stops because of it."""

    MESSAGE = "message"
    RECIPIENT = "recipient"
    TEMPLATE = "template"
    ACCOUNT = "account"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Accepted:
    """WhatsApp has acknowledged the message under `remote_id`. `warning`: what is doubtful about it all the same."""

    remote_id: str
    at: datetime
    warning: Code | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """It surely did not leave; try again.

    `retry_after` null leaves the moment to `core.retry`. `pushed_back`: the network refused it for now, so it counts as
    an attempt; a snooze of our own («line down», «shutting down») doesn't. `scope` ACCOUNT: the line was too fast.
    `most_attempts`: what is worth trying for this reason; null leaves it to `core.retry`.
    """

    reason: Code
    pushed_back: bool
    retry_after: timedelta | None = None
    scope: Scope = Scope.MESSAGE
    most_attempts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It surely did not leave and trying again would not help. `detail` is the network's own word, for the log page."""

    reason: Code
    scope: Scope = Scope.MESSAGE
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """It may have left: the answer never came. The message becomes UNKNOWN."""

    reason: Code


Outcome: TypeAlias = Accepted | Deferred | Refused | Lost


@dataclass(frozen=True, slots=True)
class NeverLeft:
    """Proof that an attempt handed nothing over."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """No proof either way."""


Evidence: TypeAlias = Accepted | NeverLeft | Unclear


class ReceiptKind(StrEnum):
    """What WhatsApp said of a message after its acknowledgement."""

    SERVER = "server"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Late news of one message. It may come twice, in any order, and before the answer of its own send.

    `message_id` is our own id, where the network gives it back; `detail` its own word for a failure.
    """

    remote_id: str
    kind: ReceiptKind
    at: datetime
    reason: Code | None = None
    message_id: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message that a customer wrote to us.

    `sender` is E.164, or the network's own id of a customer who doesn't show the number (and never begins with a plus).
    `text` is what they wrote, or pressed, or where they are; empty for what has no words. `media` names a file, which
    nobody has fetched; `source` is what its line needs to fetch it later, in that line's own words: it opens the file,
    so it is sealed before it is written anywhere, and shown to nobody.
    """

    remote_id: str
    sender: str
    text: str
    at: datetime
    kind: InboundKind = InboundKind.TEXT
    sender_name: str | None = None
    media: Media | None = None
    source: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquainted:
    """The network's history says that a customer (E.164) has written to us, and when last. No message comes of it."""

    sender: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What a customer chose in WhatsApp itself about our advertising. `sender` as in Inbound."""

    sender: str
    wants_advertising: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricted:
    """What a line may not do for a while, though it stands: the network said so by itself, not as a message's answer.

    `code` is the reason that messages are refused with meanwhile (NEW_CHATS_RESTRICTED), or MONTHLY_WARNING before it
    comes to that; `until` null: unstated.
    `is_active` False: it is over. `stops_bulk`: whoever goes on sending to many makes it worse.
    """

    code: Code
    is_active: bool
    until: datetime | None = None
    stops_bulk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEvent:
    """News of the line itself. `until` is the end of a ban or of a code's life; `code` names a block's cause."""

    news: LineNews
    code: Code | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A phone took the link: from now on the account is this number (E.164)."""

    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateNews:
    """The network has stopped an approved text of ours, or lets it be used again. `why` is the network's own word."""

    name: str
    language: str
    is_usable: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberNews:
    """The network sees a number otherwise than before: its quality, how much it may send. `what` is its own word."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUnderstood:
    """Something was told that we have no use for, or can't read.

    `what` is a word for it, never its text; `body` is what was told, as far as it is kept.
    """

    what: str
    body: str = field(default="", repr=False)


Told: TypeAlias = Receipt | Inbound | Acquainted | Preference | Restricted | TemplateNews | NumberNews | NotUnderstood
"""What is news of messages and people, and is stored as it was told."""

TransportEvent: TypeAlias = Told | LineEvent | Linked
