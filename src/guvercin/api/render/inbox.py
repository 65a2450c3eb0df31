"""From the inbox to its answers."""

from datetime import tzinfo

from guvercin.api.answers.inbox import InboxRecord
from guvercin.api.notices import told
from guvercin.api.render.ground import clock_time, iso_time
from guvercin.core.inbound import Received


def inbox_record(message: Received, zone: tzinfo) -> InboxRecord:
    """Answer a message of the inbox as it is listed."""
    return InboxRecord(
        **told(message, zone),
        received_at=clock_time(message.received_at, zone),
        received_at_iso=iso_time(message.received_at, zone),
        is_read=message.read_at is not None,
        read_at=message.read_at and clock_time(message.read_at, zone),
    )
