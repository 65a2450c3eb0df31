"""The inbox: what people wrote to us."""

from datetime import datetime
from typing import Protocol

from guvercin.core.inbound import FileOfInbox, InboxFilter, InboxPage, Received


class Inbox(Protocol):
    """What people wrote to us."""

    async def inbox(self, wanted: InboxFilter, *, limit: int, below: int | None) -> InboxPage:
        """Answer a page of what people wrote to us, newest first, with ids below `below`."""

    async def received(self, message_id: int) -> Received | None:
        """Answer one message of the inbox."""

    async def file_of_inbox(self, message_id: int) -> FileOfInbox | None:
        """Answer where the file of a message is; null: there is no such message."""

    async def keep_file_of_inbox(self, message_id: int, digest: str) -> bool:
        """Write that the spool has a message's file. False: the message has been erased meanwhile."""

    async def unread(self, account_ids: frozenset[int] | None) -> int:
        """Answer how many messages of these accounts (null: of all) nobody here has read."""

    async def mark_read(self, message_id: int, *, now: datetime) -> Received:
        """Write that somebody here has read a message of the inbox. NOT_FOUND."""

    async def mark_all_read(self, wanted: InboxFilter, upto: int, *, now: datetime) -> int:
        """Write that everything of a filter, up to a message, was read; answers how many were new."""
