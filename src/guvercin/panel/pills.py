"""The words, colours and icons of states: never a colour alone, and one word for one thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from guvercin.core.account import Account, Kind, LineState
from guvercin.core.errors import Code
from guvercin.core.message import Message, Status, WaitsFor
from guvercin.locale import sentence
from guvercin.locale.terms import STATUSES, WAITS


@dataclass(frozen=True, slots=True)
class Pill:
    """A state as it is shown. `kind`: ok, wait, bad, info or none; `icon` empty: a dot."""

    kind: str
    word: str
    icon: str = ""


_OF_STATUS: Mapping[Status, Pill] = MappingProxyType(
    {
        Status.QUEUED: Pill("none", STATUSES["queued"], "clock"),
        Status.SENDING: Pill("info", STATUSES["sending"], "send"),
        Status.UNKNOWN: Pill("wait", STATUSES["unknown"], "help-circle"),
        Status.SENT: Pill("info", STATUSES["sent"], "check"),
        Status.DELIVERED: Pill("ok", STATUSES["delivered"], "checks"),
        Status.READ: Pill("ok", STATUSES["read"], "eye"),
        Status.FAILED: Pill("bad", STATUSES["failed"], "circle-x"),
        Status.CANCELLED: Pill("none", STATUSES["cancelled"], "ban"),
    },
)
_SCHEDULED = Pill("none", STATUSES["scheduled"], "clock")
_SKIPPED = Pill("none", sentence("Skipped"), "user-off")
_HELD = Pill("wait", sentence("Waits for you"), "alert-triangle")

_LEFT_OUT = frozenset({Code.DUPLICATE})
"""Reasons for which nothing was tried: the row was left out on purpose."""


def message_pill(message: Message) -> Pill:
    """Answer how a message's state is shown."""
    if message.status is Status.QUEUED and message.waits_for is WaitsFor.TIME:
        return _SCHEDULED
    if message.status is Status.QUEUED and message.waits_for in {WaitsFor.RESTORED, WaitsFor.NEW_NUMBER}:
        return _HELD
    if message.status is Status.FAILED and message.reason in _LEFT_OUT:
        return _SKIPPED
    return _OF_STATUS[message.status]


def status_pill(status: Status) -> Pill:
    """Answer how a status is shown."""
    return _OF_STATUS[status]


def waits_words(message: Message) -> str:
    """Answer what a queued message waits for, as a sentence of the catalogue; empty: its turn."""
    return WAITS[message.waits_for] if message.waits_for is not None else ""


@dataclass(frozen=True, slots=True)
class LineWords:
    """How an account's line is shown: its pill, the line under the name, and the one thing to do about it.

    `action`: `link`, `resume`, `help`, `test`, or empty.
    """

    pill: Pill
    under: str
    action: str = ""


REDIALS = timedelta(minutes=5)
"""After this long without a line, somebody is asked to look."""

_CONNECTED = Pill("ok", sentence("Connected"))
_STOPPED = LineWords(
    Pill("none", sentence("Switched off"), "player-pause"),
    sentence("You switched it off. Its messages wait."),
    "resume",
)
_NEW = LineWords(Pill("wait", sentence("Waiting for QR"), "qrcode"), sentence("Your phone is awaited"), "link")
_OUT = LineWords(
    Pill("bad", sentence("Logged out"), "unlink"), sentence("It was removed from «Linked devices» on the phone"), "link"
)
_RESTRICTED = LineWords(
    Pill("bad", sentence("Restricted"), "ban"),
    sentence("WhatsApp has restricted this number. The queue stands still; no message is lost."),
    "help",
)
_OUTDATED = LineWords(
    Pill("bad", sentence("Update needed"), "refresh"), sentence("A newer version of Güvercin is needed"), "help"
)
_BLOCKED = LineWords(Pill("bad", sentence("Needs you"), "alert-triangle"), sentence("It can't go on by itself"), "help")
_AGAIN = Pill("wait", sentence("Reconnecting"), "refresh")


_OF_STATE: Mapping[LineState, LineWords] = MappingProxyType(
    {
        LineState.STOPPED: _STOPPED,
        LineState.PAIRING: _NEW,
        LineState.LOGGED_OUT: _OUT,
        LineState.BANNED: _RESTRICTED,
        LineState.BLOCKED: _BLOCKED,
    },
)
"""Those that are told by their state alone."""


def line_words(account: Account, now: datetime) -> LineWords:
    """Answer how an account's line is shown."""
    line = account.line
    if line.is_connected(now):
        return LineWords(_CONNECTED, _describe(account), "test")
    if line.state is LineState.LOGGED_OUT and account.phone is None:
        return _NEW
    if line.code is Code.ENGINE_OUTDATED:
        return _OUTDATED
    if line.state in _OF_STATE:
        return _OF_STATE[line.state]
    is_long = line.connected_at is None or now - line.connected_at > REDIALS
    under = sentence("The line broke off; it is dialled again by itself")
    return LineWords(_AGAIN, under, "resume" if is_long else "")


def _describe(account: Account) -> str:
    return sentence("A phone that doesn't exist · sends no real message") if account.kind is Kind.SANDBOX else ""


def is_down(account: Account, now: datetime) -> bool:
    """Say whether somebody should know that an account sends nothing: it is wanted, and not there."""
    if not account.is_enabled or account.line.is_connected(now):
        return False
    if account.kind is Kind.WEB and account.phone is None:
        return False
    return account.line.state not in {LineState.CONNECTING, LineState.WAITING} or line_words(account, now).action != ""
