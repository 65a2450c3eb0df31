"""The files that people sent to us: fetched from WhatsApp when somebody asks, and kept in the spool from then on.

Laws
1. Nothing is fetched by itself: what nobody asks for costs no disk, and stays where its sender put it.
2. The way to a file opens it: it is sealed before the store sees it, and never leaves here.
3. What a file is, its content says. Its sender's word for it names it, and decides nothing.
4. Our copy goes with the message: by retention, and when a person is forgotten, also while it was being fetched.
"""

import asyncio
import logging
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote
from weakref import WeakValueDictionary

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.inbound import FileOfInbox, Received
from guvercin.core.sniffing import EXTENSIONS, HEAD, UNKNOWN, sniff
from guvercin.core.token import Token
from guvercin.gateway.files import LONGEST_NAME, Spool
from guvercin.gateway.sessions import Sessions
from guvercin.gateway.ways import open_way
from guvercin.sealing import Seal, Unreadable
from guvercin.store.store import Store
from guvercin.transports.base import FetchesFiles

LARGEST = 32 * 1024 * 1024
"""Bytes of a file that is fetched: a linked phone's engine holds all of it in memory."""

AT_ONCE = 2
"""Files that are fetched at the same time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of the inbox: our copy, opened, the name that it is saved under, and its type. Whoever takes it closes it.

    Being open it is whole to its end, also when it is erased meanwhile.
    """

    content: BinaryIO
    name: str
    media_type: str
    size: int


class Attachments:
    """The files of one business's inbox. `largest`: bytes that one may have."""

    def __init__(self, *, store: Store, sessions: Sessions, spool: Spool, seal: Seal, largest: int = LARGEST) -> None:
        self._store = store
        self._sessions = sessions
        self._spool = spool
        self._seal = seal
        self._largest = largest
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def open(self, token: Token, message_id: int) -> Attachment:
        """Answer a message's file, fetched now if nobody has asked for it before.

        NOT_FOUND: there is no such message, or nothing came with it. INBOUND_FILE_GONE, INBOUND_FILE_LARGE,
        INBOUND_FILE_AWAY, STORE_UNAVAILABLE; ELSEWHERE: another gateway has the line.
        """
        lock = self._turns.setdefault(message_id, asyncio.Lock())
        async with lock:  # whoever comes meanwhile finds it fetched
            found = await self._store.file_of_inbox(message_id)
            if found is None or not token.sees(found.received.account_id) or found.received.media is None:
                raise GuvercinError(Code.NOT_FOUND)
            digest = found.digest
            if digest is None or not await asyncio.to_thread(self._spool.has, digest):
                async with self._gate:
                    digest = await self._fetch(found)
        return await asyncio.to_thread(self._told, found.received, self._spool.path(digest))

    async def _fetch(self, found: FileOfInbox) -> str:
        """Fetch a file into the spool; answers its digest."""
        message = found.received
        try:
            source = open_way(found, self._seal)
            transport: object = await self._sessions.meet(message.account_id)
        except Unreadable as trouble:
            raise GuvercinError(Code.INBOUND_FILE_GONE) from trouble
        except GuvercinError as trouble:
            if trouble.code is not Code.NOT_FOUND:
                raise
            raise GuvercinError(Code.INBOUND_FILE_GONE) from trouble  # the account was removed
        if source is None:
            raise GuvercinError(Code.INBOUND_FILE_GONE)
        if not isinstance(transport, FetchesFiles):
            raise GuvercinError(Code.UNSUPPORTED)
        if message.media is not None and (message.media.size or 0) > self._largest:
            raise self._too_large()
        try:
            with self._spool.incoming() as incoming:
                await transport.fetch(source, incoming, limit=self._largest)
                digest = await asyncio.to_thread(self._spool.adopt, incoming)
        except OSError as trouble:
            raise GuvercinError(Code.STORE_UNAVAILABLE) from trouble
        except GuvercinError as trouble:
            _log.info("inbound_file_not_fetched", extra={"message_id": message.id, "code": trouble.code.value})
            raise (self._too_large() if trouble.code is Code.INBOUND_FILE_LARGE else trouble) from None
        await self._keep(message, digest)
        return digest

    async def _keep(self, message: Received, digest: str) -> None:
        """Write down where the copy is. NOT_FOUND: its message was erased meanwhile, and so is the copy."""
        if await self._store.keep_file_of_inbox(message.id, digest):
            return
        if digest not in await self._store.digests_in_use({digest}):
            await asyncio.to_thread(self._spool.path(digest).unlink, missing_ok=True)
        raise GuvercinError(Code.NOT_FOUND)

    def _told(self, message: Received, path: Path) -> Attachment:
        """Open a copy and look at it. NOT_FOUND: it was erased this moment."""
        try:
            content = path.open("rb")
        except FileNotFoundError:
            raise GuvercinError(Code.NOT_FOUND) from None
        except OSError as trouble:
            raise GuvercinError(Code.STORE_UNAVAILABLE) from trouble
        head, size = content.read(HEAD), os.fstat(content.fileno()).st_size
        content.seek(0)
        media_type = sniff(head, message.media.type if message.media else None)
        name = saved_as(message.media.name if message.media else None, media_type, message.id)
        return Attachment(content=content, name=name, media_type=media_type, size=size)

    def _too_large(self) -> GuvercinError:
        return GuvercinError(Code.INBOUND_FILE_LARGE, params={"limit": f"{self._largest // (1024 * 1024)} MB"})


def to_save(file: Attachment) -> dict[str, str]:
    """Answer the headers under which a stranger's file is handed out: to be saved, under a name in any alphabet.

    It is never shown as a page of ours, and no cache on the way keeps it (RFC 6266).
    """
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "Content-Length": str(file.size),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def saved_as(told: str | None, media_type: str, message_id: int) -> str:
    """Answer the name under which a file is saved: its sender's, harmless and with the ending of what it is.

    Without control characters, marks that turn the reading direction, and what stands for a folder.
    """
    last = re.split(r"[/\\]", told or "")[-1]
    kept = (" " if unicodedata.category(letter) in {"Cc", "Zl", "Zp"} else letter for letter in last)
    readable = "".join(letter for letter in kept if unicodedata.category(letter) not in {"Cf", "Cs"})
    name = unicodedata.normalize("NFC", " ".join(readable.split()).strip(". "))
    ending = "" if media_type == UNKNOWN else EXTENSIONS[media_type]
    stem, dot, own = name.rpartition(".")
    if not name:
        return f"gelen-{message_id}{ending or '.bin'}"
    if ending and not (dot and f".{own}".lower() in {ending, *_OTHER_ENDINGS.get(ending, ())}):
        stem, own = name, ending.removeprefix(".")
    elif not dot:
        stem, own = name, "bin"
    room = LONGEST_NAME - len(own.encode()) - 1
    return f"{stem.encode()[:room].decode(errors='ignore').rstrip()}.{own}"


_OTHER_ENDINGS = {".jpg": (".jpeg", ".jpe"), ".ogg": (".oga", ".opus"), ".mp4": (".m4v",), ".mov": (".qt",)}
