"""What WhatsApp forbids an account by itself, read off the library's log: its Python side has no event for it.

The stanza is `<notification type="mex"><update op_name="…">JSON</update></notification>`. Two matter:
NotificationUserReachoutTimelockUpdate (no new chats until time_enforcement_ends) and MessageCappingInfoNotification
(too many messages this month that nobody answered; WhatsApp warns twice before it stops them). A line of any other
shape says nothing: names of people stand in the log too, and they write what they like there.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from guvercin.transports.web.protocol import RestrictionHeard

NEW_CHATS, MONTHLY, MONTHLY_WARNING = "new_chats", "monthly", "monthly_warning"
RESTRICTIONS = ("NotificationUserReachoutTimelockUpdate", "MessageCappingInfoNotification")

_WARNINGS = frozenset({"FIRST_WARNING", "SECOND_WARNING"})
_STOP_AT = 0.8
"""The share of the month's quota at which new chats close by our own choice: the rest is for people at the phone."""

_STANZA = re.compile(
    r'<notification (?=[^<>]*type="mex")[^<>]*>'
    r'<update op_name="(?P<name>\w+)">(?P<told>\{.*\})</update></notification>',
    re.DOTALL,
)


def restriction_in(line: str) -> RestrictionHeard | None:
    """Answer what a line of the log says of a restriction; null: nothing."""
    found = _STANZA.fullmatch(re.sub(r">\s+(?=[<{])|(?<=[}>])\s+<", lambda gap: gap[0].strip(), line))
    if found is None or found["name"] not in RESTRICTIONS:
        return None
    try:
        told = json.loads(found["told"])["data"]
        if found["name"] == RESTRICTIONS[0]:
            return _new_chats(told["xwa2_notify_account_reachout_timelock"])
        return _monthly(told["xwa2_notify_new_chat_messages_capping_info_update"])
    except (ValueError, LookupError, TypeError, OverflowError):
        return None


def _new_chats(told: dict[str, Any]) -> RestrictionHeard:
    is_active = bool(told.get("is_active"))
    return RestrictionHeard(
        what=NEW_CHATS, is_active=is_active, until=_moment(told.get("time_enforcement_ends")) if is_active else None
    )


def _monthly(told: dict[str, Any]) -> RestrictionHeard:
    status, until = told["capping_status"], _moment(told.get("cycle_end_timestamp"))
    if status == "CAPPED" or _is_nearly_used_up(told):
        return RestrictionHeard(what=MONTHLY, is_active=True, until=until)
    if status in _WARNINGS:
        return RestrictionHeard(what=MONTHLY_WARNING, is_active=True, until=until)
    return RestrictionHeard(what=MONTHLY, is_active=False, until=None)


def _is_nearly_used_up(told: dict[str, Any]) -> bool:
    """Say whether the quota, where the notice states one (-1 is none), leaves too little to go on."""
    used, total = int(str(told.get("used_quota", 0))), int(str(told.get("total_quota", -1)))
    return total > 0 and used >= total * _STOP_AT


def _moment(seconds: object) -> datetime | None:
    number = int(str(seconds or 0))
    return datetime.fromtimestamp(number, UTC) if number > 0 else None
