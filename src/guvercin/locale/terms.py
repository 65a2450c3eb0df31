"""The short words for states and kinds: one word for one thing, on the pages as in the terminal.

The wire keeps its own values («queued», «connected»); these are what people read for them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from guvercin.core.account import LineState
from guvercin.core.call import CallTrouble
from guvercin.core.hook import CloseReason, DeliveryState, HookEvent, HookState
from guvercin.core.inbound import InboundKind
from guvercin.core.message import WaitsFor

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "queued": "Queued",
        "scheduled": "Scheduled",
        "sending": "Sending",
        "unknown": "In doubt",
        "sent": "Sent",
        "delivered": "Delivered",
        "read": "Read",
        "failed": "Failed",
        "cancelled": "Cancelled",
    },
)
"""By the wire's `durum` of a message: Status, and `scheduled` for a queued one that waits for its time."""

WAITS: Mapping[WaitsFor, str] = MappingProxyType(
    {
        WaitsFor.TIME: "Waits for its time",
        WaitsFor.RETRY: "Will be tried again",
        WaitsFor.EARLIER: "Waits for an earlier message to the same recipient",
        WaitsFor.RESTORED: "Came back with a backup and waits for your decision",
        WaitsFor.PAUSED: "Its bulk is paused until you resume it",
        WaitsFor.REVIEW: "Waits until you decide whether its recipient has refused",
        WaitsFor.NEW_NUMBER: "The account has another number now; waits for your decision",
        WaitsFor.QUIET_HOURS: "Waits for the quiet hours to end",
        WaitsFor.HOURLY: "The account's hourly limit is used up",
        WaitsFor.DAILY: "The account's daily limit is used up",
        WaitsFor.MONTHLY: "The account's monthly limit of new people is used up",
        WaitsFor.NEW_CLOSED: "WhatsApp lets the account start no new chats for now",
        WaitsFor.WARM_UP: "The line is still warming up: today's share is used up",
        WaitsFor.RECIPIENT: "An earlier message to this person goes first, or they have had enough without answering",
        WaitsFor.DISTANCE: "Keeps its distance from the last message to somebody new",
        WaitsFor.BREATHER: "Rests between two runs of messages",
    },
)

INBOUND_KINDS: Mapping[InboundKind, str] = MappingProxyType(
    {
        InboundKind.TEXT: "Text",
        InboundKind.IMAGE: "Picture",
        InboundKind.VIDEO: "Video",
        InboundKind.AUDIO: "Voice message",
        InboundKind.DOCUMENT: "Document",
        InboundKind.STICKER: "Sticker",
        InboundKind.LOCATION: "Place",
        InboundKind.CONTACT: "Contact",
        InboundKind.REACTION: "Reaction",
        InboundKind.CHOICE: "Pressed a button",
        InboundKind.OTHER: "Something else",
    },
)
"""What people send to us."""

LINES: Mapping[LineState, str] = MappingProxyType(
    {
        LineState.STOPPED: "Switched off",
        LineState.CONNECTING: "Connecting",
        LineState.PAIRING: "Waiting for the phone",
        LineState.CONNECTED: "Connected",
        LineState.WAITING: "Reconnecting",
        LineState.BANNED: "Restricted",
        LineState.LOGGED_OUT: "Logged out",
        LineState.BLOCKED: "Needs you",
    },
)

CALLS: Mapping[CallTrouble, str] = MappingProxyType(
    {
        CallTrouble.UNREADABLE: "The address can't be read.",
        CallTrouble.NOT_HTTPS: "The address has to begin with https://",
        CallTrouble.PORT: "Only the ports 443 and 8443 are called.",
        CallTrouble.FORBIDDEN: "The name leads to an address that is not public; the settings can allow it.",
        CallTrouble.UNKNOWN_NAME: "The name is not known: check its spelling, and this machine's DNS.",
        CallTrouble.NO_CONNECTION: "Nobody takes the connection there.",
        CallTrouble.CERTIFICATE: "The certificate is not valid.",
        CallTrouble.TOO_SLOW: "The address did not answer within 15 seconds.",
        CallTrouble.BROKEN_OFF: "The connection broke off before the answer.",
        CallTrouble.REDIRECTED: "The address leads to another one: give that one. It is not followed.",
        CallTrouble.REFUSED: "The address answered, and not with a 2xx.",
    },
)

HOOKS: Mapping[HookState, str] = MappingProxyType(
    {HookState.ACTIVE: "Works", HookState.FAILING: "Has trouble", HookState.CLOSED: "Closed"},
)

CLOSINGS: Mapping[CloseReason, str] = MappingProxyType(
    {
        CloseReason.OWNER: "You closed it",
        CloseReason.GONE: "The address said that it is gone (410)",
        CloseReason.FAILED_LONG: "It took nothing for three days",
        CloseReason.NOT_OPENED: "Its secret can't be read here: renew it",
    },
)

HOOK_EVENTS: Mapping[HookEvent, str] = MappingProxyType(
    {
        HookEvent.SENT: "A message was sent",
        HookEvent.DELIVERED: "A message was delivered",
        HookEvent.READ: "A message was read",
        HookEvent.FAILED: "A message failed",
        HookEvent.UNKNOWN: "A message is in doubt",
        HookEvent.RECEIVED: "Somebody wrote to you",
        HookEvent.BATCH_FINISHED: "A bulk has finished",
        HookEvent.LINE_CHANGED: "A line changed",
        HookEvent.OPTED_OUT: "Somebody wants no messages",
        HookEvent.ALERT_RAISED: "An alert was raised",
        HookEvent.ALERT_CLEARED: "An alert is over",
    },
)
"""What an address may hear."""

DELIVERIES: Mapping[DeliveryState, str] = MappingProxyType(
    {
        DeliveryState.QUEUED: "Queued",
        DeliveryState.WAITING: "Will be tried again",
        DeliveryState.DONE: "Delivered",
        DeliveryState.GIVEN_UP: "Given up",
    },
)

CATEGORIES: Mapping[int, str] = MappingProxyType(
    {
        1: "Invoice",
        2: "Quote / proforma",
        3: "Order status",
        4: "Shipment / delivery",
        5: "Balance / debt reminder",
        6: "Receipt of payment",
        7: "Account statement / reconciliation",
        8: "Appointment",
        9: "Campaign / greeting / announcement",
        10: "General",
    },
)
"""By category id. Turkish is Category.name; a test keeps both the same."""

URGENCIES: Mapping[str, str] = MappingProxyType(
    {
        "en_dusuk": "Lowest",
        "dusuk": "Low",
        "normal": "Normal",
        "yuksek": "High",
    },
)
"""By the wire's `oncelik` of a category."""
