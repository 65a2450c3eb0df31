"""What the engine's events say, in the words of the protocol: what must be kept, and what is only told.

Nothing here imports the engine: an event is read by the names of its fields (neonize's Neonize_pb2), and so every
reading can be tried without it. Groups, channels and status posts are nothing of ours.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from guvercin.core.inbound import Media
from guvercin.transports.web import protocol as p
from guvercin.transports.web.contents import content_of

PHONES, LIDS = "s.whatsapp.net", "lid"
"""The servers of a person's two addresses: by number, and the hidden one."""

Reading: TypeAlias = Callable[[Any, datetime], Sequence[p.Entry | p.Report]]
"""Reads an event at a moment of our clock. Entries go into the journal, before anything is told."""


def moment(seconds: int, now: datetime) -> datetime:
    """Answer WhatsApp's time of day, but never one that is still to come: its clock need not agree with ours."""
    return min(datetime.fromtimestamp(seconds, UTC), now) if seconds > 0 else now


def read_receipt(event: Any, now: datetime) -> Sequence[p.Entry]:
    """Read a receipt of a person (events.Receipt)."""
    source = event.MessageSource
    if source.IsGroup:
        return ()
    return (
        p.ReceiptHeard(
            remote_ids=tuple(event.MessageIDs),
            kind=_name(event, "Type"),
            from_me=source.IsFromMe,
            at=moment(event.Timestamp, now),
        ),
    )


def read_message(event: Any, now: datetime) -> Sequence[p.Entry]:
    """Read that somebody wrote to us, or that the owner wrote on another device (events.Message)."""
    info, source = event.Info, event.Info.MessageSource
    if source.IsGroup or source.Chat.Server not in {PHONES, LIDS}:
        return ()
    at = moment(info.Timestamp // 1000, now)
    if source.IsFromMe:
        recipient = _number(source.Chat, source.RecipientAlt)
        return (p.WroteOurselves(remote_id=info.ID, recipient=recipient or "", at=at),)
    sender = _number(source.Sender, source.SenderAlt) or _hidden(source.Sender)
    content = content_of(event.Message) if sender else None
    if not sender or not content:
        return ()
    media = content.media or Media()
    return (
        p.Wrote(
            remote_id=info.ID,
            sender=sender,
            text=content.text,
            at=at,
            kind=content.kind.value,
            name=info.Pushname or None,
            media_type=media.type,
            file_name=media.name,
            file_size=media.size,
            source=content.source,
        ),
    )


def read_history(event: Any, now: datetime) -> Sequence[p.Entry]:
    """Read who has written to this phone before, and when last (events.HistorySync): nothing else of its history."""
    found: list[p.Entry] = []
    for chat in event.Data.conversations:
        number = _history_number(chat)
        written = [
            one.message.messageTimestamp
            for one in chat.messages
            if not one.message.key.fromMe and one.message.messageTimestamp
        ]
        if number and written:
            found.append(p.Acquainted(number=number, last_inbound_at=moment(max(written), now)))
    return found


def read_pairing(event: Any, _: datetime) -> Sequence[p.Report]:
    """Read that a phone took the link, or that it failed (events.PairSuccess, PairError)."""
    if event.Status == event.SUCCESS:
        return (p.Linked(jid=f"{event.ID.User}:{event.ID.Device}@{event.ID.Server}"),)
    return (p.Linking(word=f"err-{event.Error}"),)


def read_logout(event: Any, _: datetime) -> Sequence[p.Report]:
    """Read that WhatsApp ended the session (events.LoggedOut)."""
    return (p.LoggedOut(reason=_name(event, "Reason"), on_connect=event.OnConnect),)


def read_ban(event: Any, _: datetime) -> Sequence[p.Report]:
    """Read of a temporary ban (events.TemporaryBan)."""
    return (p.Banned(reason=_name(event, "Code"), seconds=_seconds(event.Expire)),)


def read_refusal(event: Any, _: datetime) -> Sequence[p.Report]:
    """Read that a sign-in was refused (events.ConnectFailure)."""
    return (p.SignInRefused(reason=_name(event, "Reason")),)


READINGS: dict[str, Reading] = {
    "PairStatus": read_pairing,
    "Connected": lambda *_: (p.Opened(),),
    "KeepAliveTimeout": lambda *_: (p.Dropped(why="silence"),),
    "KeepAliveRestored": lambda *_: (p.Restored(),),
    "LoggedOut": read_logout,
    "StreamReplaced": lambda *_: (p.Replaced(),),
    "TemporaryBan": read_ban,
    "ConnectFailure": read_refusal,
    "ClientOutdated": lambda *_: (p.Outdated(),),
    "Disconnected": lambda *_: (p.Dropped(why="socket"),),
    "HistorySync": read_history,
    "Message": read_message,
    "Receipt": read_receipt,
}
"""What is listened to, and nothing else: what doesn't come can't be poison."""


def _name(event: Any, field: str) -> str:
    """Answer the name of an enumeration's value."""
    values = event.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    return str(values[getattr(event, field)].name)


def _number(*jids: Any) -> str | None:
    """Answer the phone number among a person's addresses, in E.164."""
    return next((f"+{jid.User}" for jid in jids if jid.Server == PHONES and jid.User), None)


def _hidden(jid: Any) -> str | None:
    """Answer the address of a person who doesn't show the number. Whoever reads the journal may know whose it is."""
    return f"{jid.User}{p.HIDDEN}" if jid.Server == LIDS and jid.User else None


def _history_number(chat: Any) -> str | None:
    for written in (chat.pnJID, chat.ID):
        user, _, server = written.partition("@")
        if server == PHONES and user.isdigit():
            return f"+{user}"
    return None


def _seconds(expire: int) -> int | None:
    """Answer a ban's length: the library hands a Go duration on, in nanoseconds or seconds as its version likes."""
    if expire <= 0:
        return None
    return expire // 1_000_000_000 if expire >= 1_000_000_000 else expire
