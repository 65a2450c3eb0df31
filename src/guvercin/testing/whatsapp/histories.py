"""What a phone tells a client that was just linked about the time before: the recent conversations.

A HistorySync (type RECENT) is compressed, sealed as a file of kind md-msg-hist, and named in a protocol message to
the own device. Each conversation here holds one message from the other side, without its text, and the moment it
came in.
"""

import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from guvercin.testing.whatsapp.media import MediaStore
from guvercin.testing.whatsapp.messages import e2e, history

if TYPE_CHECKING:
    from guvercin.testing.whatsapp.phones import Phone

KIND = "md-msg-hist"


def notice(media: MediaStore, conversations: "Iterable[tuple[Phone, datetime]]") -> Any:
    """Upload the history and answer the waE2E.Message that names it."""
    sync = history.HistorySync(syncType=history.HistorySync.RECENT, chunkOrder=1, progress=100)
    for phone, last_inbound in conversations:
        _add(sync, phone, int(last_inbound.timestamp()))
    shared = media.share(zlib.compress(sync.SerializeToString()), KIND)
    named = e2e.HistorySyncNotification(syncType=e2e.HistorySyncType.RECENT, chunkOrder=1, **shared)
    told = e2e.ProtocolMessage(type=e2e.ProtocolMessage.HISTORY_SYNC_NOTIFICATION, historySyncNotification=named)
    return e2e.Message(protocolMessage=told)


def _add(sync: Any, phone: "Phone", seconds: int) -> None:
    conversation = sync.conversations.add()
    conversation.ID, conversation.pnJID, conversation.lidJID = str(phone.lid_jid), str(phone.pn_jid), str(phone.lid_jid)
    conversation.lastMsgTimestamp = conversation.conversationTimestamp = seconds
    conversation.name = phone.name
    message = conversation.messages.add().message
    message.key.remoteJID, message.key.fromMe, message.key.ID = str(phone.lid_jid), False, f"3A{seconds:018X}"
    message.messageTimestamp = seconds
    mapping = sync.phoneNumberToLidMappings.add()
    mapping.pnJID, mapping.lidJID = str(phone.pn_jid), str(phone.lid_jid)
