"""WhatsApp's words -> outcomes: one table for what the engine says of a send, of a number and of a session.

The engine tells trouble as a sentence, so this file reads sentences. A sentence that isn't listed proves nothing: a
send that ended with it is Lost. The sources are whatsmeow's send.go, user.go and connectionevents.go.
"""

import errno
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from guvercin.core.account import LineNews
from guvercin.core.errors import Code
from guvercin.core.outcome import Deferred, LineEvent, Lost, Outcome, Refused, Scope
from guvercin.transports.base import FILE_AWAY, FILE_GONE
from guvercin.transports.web.protocol import HAS_LEFT, TOO_LARGE
from guvercin.transports.web.restrictions import MONTHLY, MONTHLY_WARNING, NEW_CHATS

LINE_DOWN = Deferred(reason=Code.LINE_DOWN, pushed_back=False)
PUSHED_BACK = Deferred(reason=Code.PUSHED_BACK, pushed_back=True)
TOO_FAST = Deferred(reason=Code.PUSHED_BACK, pushed_back=True, scope=Scope.ACCOUNT)
NOT_ON_WHATSAPP = Refused(reason=Code.NOT_ON_WHATSAPP, scope=Scope.RECIPIENT)
ANSWER_LOST = Lost(Code.ANSWER_LOST)

UNSTATED_BAN = timedelta(hours=24)
"""How long a ban lasts whose end WhatsApp did not say, or said in a way that the engine can't read."""

NACKS: Mapping[int, Outcome] = MappingProxyType(
    {
        429: TOO_FAST,
        463: Refused(reason=Code.NEW_CHATS_RESTRICTED, scope=Scope.ACCOUNT, detail="463"),
        475: Refused(reason=Code.MONTHLY_LIMIT, scope=Scope.ACCOUNT, detail="475"),
        # The session with a device was stale, and the refusal has refreshed it: once more, or never.
        479: replace(PUSHED_BACK, most_attempts=2),
        500: PUSHED_BACK,
        503: PUSHED_BACK,
    },
)
"""The error numbers in WhatsApp's answer to a message. Every other number is a clear no as well."""

BANS: Mapping[str, Code] = MappingProxyType(
    {
        "SEND_TO_TOO_MANY_PEOPLE": Code.BANNED_FOR_STRANGERS,  # 101
        "BLOCKED_BY_USERS": Code.BANNED_FOR_BLOCKS,  # 102
        "CREATED_TOO_MANY_GROUPS": Code.BANNED_FOR_GROUPS,  # 103
        "SENT_TOO_MANY_SAME_MESSAGE": Code.BANNED_FOR_SAME_TEXT,  # 104
        "BROADCAST_LIST": Code.BANNED_FOR_BROADCAST,  # 106
    },
)
"""Why a temporary ban was given, by the engine's names (events.TempBanReason); any other reason is TEMPORARY_BAN."""

RESTRICTED: Mapping[str, Code] = MappingProxyType(
    {NEW_CHATS: Code.NEW_CHATS_RESTRICTED, MONTHLY: Code.MONTHLY_LIMIT, MONTHLY_WARNING: Code.MONTHLY_WARNING}
)
"""What is refused while WhatsApp forbids an account something."""

SESSION_ENDS = frozenset({Code.REMOVED, Code.NOT_LINKED, Code.LOCKED, Code.CLOSED})
"""The codes of a line whose session is over: only a new link brings it back."""

UNLINKED = "UNLINKED"
"""The reason of a logout that we asked for ourselves; the engine says nothing of it."""

_NACK = re.compile(r"server returned error (\d+)")
_NO_LID = "no LID found for"
_BEFORE_IT_LEFT = (
    "failed to get LID for PN",
    "failed to get user info for",
    "failed to get device list",
    "failed to send message node: websocket not connected",
    "failed to upload",
    "upload failed with status code",
    "failed to refresh media connections",
    "failed to send upload request",
    "the store doesn't contain a device JID",
    "client is nil",
    HAS_LEFT,
)
"""What the engine says while it is still preparing: nothing of the message has left."""

_DOWN = ("not connected", "disconnected", "device JID", "is nil", HAS_LEFT)

_RATE = re.compile(r"\b429\b|rate-overlimit")
_FILE_OVER = re.compile(
    r"download failed with status code (403|404|410)\b|invalid media hmac|hash of media \w+ doesn't match|"
    r"file length|no url present|file too short|any attachments"
)
"""Words for a file that WhatsApp has deleted, or that isn't the one its sender described: asking again won't help."""

_FILE = re.compile(r"^\[Errno (\d+)\]")


def outcome_of(error: str) -> Outcome:
    """Read what the engine said of a send that did not succeed."""
    if found := _NACK.search(error):
        number = int(found[1])
        return NACKS.get(number) or Refused(reason=Code.WHATSAPP_REFUSED, detail=str(number))
    if _NO_LID in error:
        return NOT_ON_WHATSAPP
    if any(words in error for words in _BEFORE_IT_LEFT):
        is_down = any(words in error for words in _DOWN)
        return LINE_DOWN if is_down else PUSHED_BACK
    if found := _FILE.match(error):
        return FILE_GONE if int(found[1]) == errno.ENOENT else FILE_AWAY
    return ANSWER_LOST


def fetch_trouble(error: str) -> Code:
    """Read what the engine said when a file could not be fetched (whatsmeow's download.go)."""
    if TOO_LARGE in error:
        return Code.INBOUND_FILE_LARGE
    return Code.INBOUND_FILE_GONE if _FILE_OVER.search(error) else Code.INBOUND_FILE_AWAY


def check_outcome(error: str) -> Deferred:
    """Read what the engine said when a number could not be looked up. Nothing has left."""
    return TOO_FAST if _RATE.search(error) else LINE_DOWN


def farewell_of_logout(reason: str, *, on_connect: bool) -> LineEvent:
    """Say what the end of a session means. `reason` is the engine's name for it."""
    if reason == UNLINKED:
        return LineEvent(news=LineNews.LOGGED_OUT, code=Code.NOT_LINKED)
    if on_connect and reason == "MAIN_DEVICE_GONE":
        return LineEvent(news=LineNews.BLOCKED, code=Code.LOCKED)
    if on_connect and reason == "UNKNOWN_LOGOUT":
        return LineEvent(news=LineNews.BLOCKED, code=Code.CLOSED)
    return LineEvent(news=LineNews.LOGGED_OUT, code=Code.REMOVED)


def farewell_of_ban(reason: str | None, seconds: int | None, now: datetime) -> LineEvent:
    """Say why and until when a temporary ban lasts. `reason` is the engine's name for it; null: one it doesn't know."""
    until = now + (UNSTATED_BAN if seconds is None else timedelta(seconds=seconds))
    return LineEvent(news=LineNews.BANNED, code=BANS.get(reason or "", Code.TEMPORARY_BAN), until=until)


def farewell_of_refusal(reason: str) -> LineEvent:
    """Say what a refused sign-in means: another program is asked for, or a moment's trouble."""
    if reason in {"BAD_USER_AGENT", "CLIENT_OUTDATED"}:
        return LineEvent(news=LineNews.BLOCKED, code=Code.ENGINE_OUTDATED)
    return LineEvent(news=LineNews.DROPPED, code=Code.LINE_DOWN)
