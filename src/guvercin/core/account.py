"""The line of an account: is it wanted, what was last heard of it, and what a human must do about it.

Laws
1. Everything that can change a line stands in LINE_TRANSITIONS.
2. Orders (enable, disable, pair) may be illegal and raise; news never raises.
3. PAIRING is entered by an Order alone: nothing asks for a QR code by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from guvercin.core.errors import Code
from guvercin.core.pacing import Pace


class Kind(StrEnum):
    """Which transport carries an account."""

    SANDBOX = "sandbox"
    WEB = "web"
    CLOUD = "cloud"


class LineState(StrEnum):
    """The connection of an account as last heard."""

    STOPPED = "stopped"
    """Not wanted. Enters: disable. Leaves: enable. A restart keeps it."""

    CONNECTING = "connecting"
    """Dialling. Enters: enable, redial, a finished pairing, the end of a ban. A restart begins here again."""

    PAIRING = "pairing"
    """Shows a QR or a code until its time is up. Enters: the pair order. A restart ends it as timed out."""

    CONNECTED = "connected"
    """May send. Enters: the transport says so. Leaves: any trouble."""

    WAITING = "waiting"
    """Dropped; redials by itself. A drop under ten seconds is not reported to anyone."""

    BANNED = "banned"
    """A temporary ban until a stated moment. Leaves by that moment, never earlier."""

    LOGGED_OUT = "logged_out"
    """No session: never linked, or the phone removed us. Leaves: the pair order."""

    BLOCKED = "blocked"
    """Replaced elsewhere, outdated, locked, closed or a bad token: a human must act."""


class LineOrder(StrEnum):
    """What the owner decides about a line."""

    ENABLE = "enable"
    DISABLE = "disable"
    PAIR = "pair"


class LineNews(StrEnum):
    """What the world tells of a line."""

    OPENED = "opened"
    NO_SESSION = "no_session"
    DROPPED = "dropped"
    REDIAL = "redial"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    BAN_PASSED = "ban_passed"
    BLOCKED = "blocked"
    SICK = "sick"
    WELL = "well"
    CODE = "code"
    PAIRED = "paired"
    TIMED_OUT = "timed_out"


LineCause: TypeAlias = LineOrder | LineNews

_TROUBLE: Mapping[LineCause, LineState] = {
    LineNews.LOGGED_OUT: LineState.LOGGED_OUT,
    LineNews.BANNED: LineState.BANNED,
    LineNews.BLOCKED: LineState.BLOCKED,
    LineOrder.DISABLE: LineState.STOPPED,
}

LINE_TRANSITIONS: Mapping[LineState, Mapping[LineCause, LineState]] = MappingProxyType(
    {
        LineState.STOPPED: {LineOrder.ENABLE: LineState.CONNECTING, LineOrder.DISABLE: LineState.STOPPED},
        LineState.CONNECTING: {
            **_TROUBLE,
            LineNews.OPENED: LineState.CONNECTED,
            LineNews.NO_SESSION: LineState.LOGGED_OUT,
            LineNews.DROPPED: LineState.WAITING,
            LineOrder.ENABLE: LineState.CONNECTING,
        },
        LineState.PAIRING: {
            **_TROUBLE,
            LineNews.CODE: LineState.PAIRING,
            LineNews.PAIRED: LineState.CONNECTING,
            LineNews.TIMED_OUT: LineState.LOGGED_OUT,
            LineOrder.ENABLE: LineState.PAIRING,
        },
        LineState.CONNECTED: {
            **_TROUBLE,
            LineNews.DROPPED: LineState.WAITING,
            LineNews.SICK: LineState.CONNECTED,
            LineNews.WELL: LineState.CONNECTED,
            LineOrder.ENABLE: LineState.CONNECTED,
        },
        LineState.WAITING: {
            **_TROUBLE,
            LineNews.REDIAL: LineState.CONNECTING,
            LineNews.OPENED: LineState.CONNECTED,
            LineOrder.ENABLE: LineState.CONNECTING,
        },
        LineState.BANNED: {
            LineNews.BAN_PASSED: LineState.CONNECTING,
            LineNews.LOGGED_OUT: LineState.LOGGED_OUT,
            LineNews.BLOCKED: LineState.BLOCKED,
            LineOrder.ENABLE: LineState.BANNED,
            LineOrder.DISABLE: LineState.STOPPED,
        },
        LineState.LOGGED_OUT: {
            LineOrder.PAIR: LineState.PAIRING,
            LineOrder.ENABLE: LineState.CONNECTING,
            LineOrder.DISABLE: LineState.STOPPED,
        },
        LineState.BLOCKED: {
            LineOrder.ENABLE: LineState.CONNECTING,
            LineOrder.DISABLE: LineState.STOPPED,
        },
    },
)

QUIET_DROP = timedelta(seconds=10)
"""A drop shorter than this is not reported: phones lose their line for a moment all day long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as last heard.

    `since` is when its state began, `code` why it is not connected (or what is the matter with it all the same),
    `until` when a ban or a shown code ends.
    `connected_at` is the last moment at which it was seen connected: when it opened, then when it broke off.
    """

    state: LineState
    since: datetime
    code: Code | None = None
    until: datetime | None = None
    connected_at: datetime | None = None

    def is_connected(self, now: datetime) -> bool:
        """Say whether people are told that it is connected: it is, or it dropped less than QUIET_DROP ago."""
        if self.state is LineState.CONNECTED:
            return True
        if self.state is not LineState.WAITING or self.connected_at is None:
            return False
        # Not `since`: a redial that fails begins a new wait, and nothing was connected before it.
        return now - self.connected_at < QUIET_DROP


class IllegalLineOrder(Exception):  # noqa: N818 -- a word of the domain
    """An order that the line's state doesn't allow; nothing was changed."""


def follow(
    line: Line,
    cause: LineCause,
    now: datetime,
    *,
    code: Code | None = None,
    until: datetime | None = None,
) -> Line:
    """Answer the line after `cause`. The same line object comes back when nothing changed.

    News that the table doesn't list changes nothing; an order that it doesn't list raises IllegalLineOrder. An order
    that the line already follows changes nothing either: enabling a banned line must not forget when the ban ends.
    """
    after = LINE_TRANSITIONS[line.state].get(cause)
    if after is None:
        if isinstance(cause, LineOrder):
            raise IllegalLineOrder(f"{cause} is not allowed from {line.state}")
        return line
    if after is line.state:
        if isinstance(cause, LineOrder) or (code == line.code and until == line.until):
            return line
        return replace(line, code=code, until=until)
    is_seen_connected = LineState.CONNECTED in {line.state, after}
    return replace(
        line,
        state=after,
        since=now,
        code=code,
        until=until,
        connected_at=now if is_seen_connected else line.connected_at,
    )


class OnUnknown(StrEnum):
    """What happens to a message in doubt when no evidence comes: the account's policy."""

    HOLD = "bekle"
    GIVE_UP = "vazgec"
    RESEND = "yeniden_gonder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How an account's owner wants people to be treated.

    `keeps_notices`: who refuses messages still gets notices of their own affairs, one by one (core/optout.py).
    `sender_title`: who stands behind commercial messages; without it there are none. `repeat_guard`: for how long a
    bulk sends nobody the same text again; null: it does.
    """

    keeps_notices: bool = False
    sender_title: str | None = None
    repeat_guard: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One WhatsApp number and its transport. `phone` is E.164, null until known; a removed account keeps its log."""

    id: int
    name: str
    kind: Kind
    phone: str | None
    is_default: bool
    is_enabled: bool
    pace: Pace
    on_unknown: OnUnknown
    line: Line
    created_at: datetime
    removed_at: datetime | None = None
    manners: Manners = Manners()
