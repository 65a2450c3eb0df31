"""The way to a file that somebody sent: whoever has it can open the file, so the store sees it sealed alone."""

import logging
from dataclasses import replace

from guvercin.core.inbound import FileOfInbox
from guvercin.core.outcome import Inbound
from guvercin.sealing import Seal

_log = logging.getLogger(__name__)


def put_away(inbound: Inbound, account_id: int, seal: Seal) -> Inbound:
    """Answer a message as it may be stored: the way to its file is sealed, or given up where there can be no key."""
    if inbound.source is None:
        return inbound
    try:
        return replace(inbound, source=seal.close(inbound.source, _purpose(account_id, inbound.remote_id)))
    except OSError as trouble:  # what somebody wrote is worth more than its file
        _log.error("inbound_file_not_sealed", extra={"account_id": account_id, "trouble": str(trouble.strerror)})
        return replace(inbound, source=None)


def open_way(found: FileOfInbox, seal: Seal) -> bytes | None:
    """Answer the way to a file; null: none was kept. Unreadable: it was sealed with another key."""
    message = found.received
    if found.source is None:
        return None
    return seal.open(found.source, _purpose(message.account_id, message.remote_id))


def _purpose(account_id: int, remote_id: str) -> str:
    """Answer what the seal of a message's way is for."""
    return f"gelen:{account_id}:{remote_id}"
