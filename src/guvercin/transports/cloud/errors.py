"""Meta's error codes, once: what each means for the message, for its line, and for another try.

The same code comes as an answer or later by webhook, and means the same both times. Meta asks to act on `code`, not on
the HTTP status (most refusals are 400) and not on the title. A code that isn't here is a refusal, unless Meta itself
calls it transient.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from types import MappingProxyType

from guvercin.core.errors import Code
from guvercin.core.outcome import Scope
from guvercin.transports.cloud.payloads import GraphError


class Kind(Enum):
    """What becomes of the message that met the error. In none of these did it leave."""

    REFUSED = auto()
    """Another try would not help."""
    PUSHED_BACK = auto()
    """Not now; it counts as an attempt."""
    LINE_BLOCKED = auto()
    """The line stands still until a person acts; the message waits."""
    LINE_DROPPED = auto()
    """The line is away for a moment; the message waits."""
    MEDIA_GONE = auto()
    """Meta has forgotten the uploaded file: upload it again, once."""
    RESTRICTED = auto()
    """Another try would not help, and bulk has to stop until Meta is friendlier."""
    TEMPLATE_STOPPED = auto()
    """Another try would not help, nor would any other message of this template."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error code means. `wait` null: the gateway's own schedule."""

    kind: Kind
    reason: Code
    scope: Scope = Scope.MESSAGE
    wait: timedelta | None = None


_TOKEN = Meaning(Kind.LINE_BLOCKED, Code.INVALID_TOKEN, Scope.ACCOUNT)
_LOCKED = Meaning(Kind.LINE_BLOCKED, Code.LOCKED, Scope.ACCOUNT)
_UNPAID = Meaning(Kind.LINE_BLOCKED, Code.UNPAID, Scope.ACCOUNT)
_NOT_REGISTERED = Meaning(Kind.LINE_BLOCKED, Code.NOT_REGISTERED, Scope.ACCOUNT)
_BUSY = Meaning(Kind.PUSHED_BACK, Code.PUSHED_BACK, Scope.SYSTEM)
_AWAY = Meaning(Kind.LINE_DROPPED, Code.LINE_DOWN, Scope.ACCOUNT)
_TOO_FAST = Meaning(Kind.PUSHED_BACK, Code.PUSHED_BACK, Scope.ACCOUNT, timedelta(seconds=1))
_TOO_MANY_CALLS = Meaning(Kind.PUSHED_BACK, Code.PUSHED_BACK, Scope.ACCOUNT, timedelta(minutes=1))
_PAIR = Meaning(Kind.PUSHED_BACK, Code.PUSHED_BACK, Scope.RECIPIENT)
_BAD = Meaning(Kind.REFUSED, Code.WHATSAPP_REFUSED)
_RECIPIENT = Meaning(Kind.REFUSED, Code.WHATSAPP_REFUSED, Scope.RECIPIENT)
_TEMPLATE = Meaning(Kind.TEMPLATE_STOPPED, Code.TEMPLATE_STOPPED, Scope.TEMPLATE)
_RESTRICTED = Meaning(Kind.RESTRICTED, Code.NEW_CHATS_RESTRICTED, Scope.ACCOUNT)

MEANINGS: Mapping[int, Meaning] = MappingProxyType(
    {
        # -- the token and its rights
        **dict.fromkeys((0, 3, 10, 102, 104, 190, 131005), _TOKEN),
        **dict.fromkeys(range(200, 300), _TOKEN),
        # -- the account
        **dict.fromkeys((368, 131031), _LOCKED),
        **dict.fromkeys((131042, 131044), _UNPAID),
        **dict.fromkeys((131037, 131045, 133005, 133006, 133008, 133009, 133010, 133015), _NOT_REGISTERED),
        **dict.fromkeys((131048, 131064), _RESTRICTED),
        # -- not now
        **dict.fromkeys((1, 2, 131000, 131016, 135000), _BUSY),
        **dict.fromkeys((131057, 133004, 2494100), _AWAY),
        **dict.fromkeys((4, 80007), _TOO_MANY_CALLS),
        130429: _TOO_FAST,
        131056: _PAIR,
        # -- the recipient
        131026: Meaning(Kind.REFUSED, Code.NOT_ON_WHATSAPP, Scope.RECIPIENT),
        **dict.fromkeys((130472, 130497, 131021, 131030, 131049, 131062, 137000), _RECIPIENT),
        131050: Meaning(Kind.REFUSED, Code.OPTED_OUT, Scope.RECIPIENT),
        131047: Meaning(Kind.REFUSED, Code.NEEDS_TEMPLATE, Scope.RECIPIENT),
        # -- the message
        **dict.fromkeys((33, 100, 131008, 131009, 131051, 131052, 131053, 131063, 139200), _BAD),
        # -- the template
        **dict.fromkeys((132000, 132005, 132007, 132008, 132012), _BAD),
        **dict.fromkeys((132001, 132015, 132016, 132068, 132069), _TEMPLATE),
    },
)

OBJECT_MISSING = 33
"""Subcode of 100: what the request names is not there, or not ours."""

_GONE = Meaning(Kind.MEDIA_GONE, Code.RENEW_MEDIA)


def meaning(error: GraphError, *, has_media: bool = False) -> Meaning:
    """Answer what an error means. `has_media`: the message named an uploaded file."""
    if has_media and error.code == 100 and error.subcode == OBJECT_MISSING:
        return _GONE
    found = MEANINGS.get(error.code)
    if found is not None:
        return found
    return _BUSY if error.is_transient else _BAD


def in_words(error: GraphError) -> str:
    """Write an error for the log page: codes and Meta's trace, never its prose, which may quote the message."""
    subcode = f"/{error.subcode}" if error.subcode is not None else ""
    trace = f" {error.trace}" if error.trace else ""
    return f"{error.code}{subcode}{trace}"
