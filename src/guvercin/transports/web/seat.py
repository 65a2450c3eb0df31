"""An account's seat in a worker: its connection to WhatsApp through neonize, and its folder.

It is the only file that imports neonize, and everything here that looks odd fences one of that library's defects:

- Importing it configures the root logger; ours never meets it, for the worker's process has none of ours.
- It imports what only other uses of it need: unused.py stands in for that.
- Events are acknowledged to WhatsApp when they are in the library's own queue. They are therefore taken in its callback
  thread and written to the journal right there; nothing waits for an event loop, there is none.
- An event that it can't encode ends all event delivery while the socket lives on and keeps acknowledging. The end of
  the connect call is watched, and the connection begun anew.
- A client that was never linked can't be stopped: `Stop` gives it a moment, then the process ends all the same.
- Asking who we are without a live client aborts the process, so nobody asks: the gateway reads that from the database.
- A session is always named by its jid: without one, the first of the file is resumed.
- Every message of its own accord claims to come from a business's bot: NEONIZE_BOT_TAG=off, set by the parent.
"""

import ctypes
import fcntl
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from guvercin.transports.web.unused import leave_out

_ENGINE = find_spec("neonize")
if _ENGINE is None or not any(
    file.suffix in {".so", ".dylib", ".dll"}
    for folder in _ENGINE.submodule_search_locations or []
    for file in Path(folder).glob("neonize-*")
):
    sys.exit("ImportError: the engine's library is not installed")  # importing it would fetch one from the internet
leave_out()

import neonize  # noqa: E402
from neonize import client as library  # noqa: E402
from neonize.events import INT_TO_EVENT  # noqa: E402
from neonize.proto.Neonize_pb2 import JID, LogEntry  # noqa: E402
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps  # noqa: E402
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (  # noqa: E402
    DocumentMessage,
    FutureProofMessage,
    ImageMessage,
    Message,
)
from neonize.utils.enum import MediaType  # noqa: E402
from neonize.utils.log import log as _library_log  # noqa: E402

from guvercin.transports.web import protocol as p  # noqa: E402
from guvercin.transports.web.deadline import Deadline  # noqa: E402
from guvercin.transports.web.journal import Journal  # noqa: E402
from guvercin.transports.web.pictures import read_picture  # noqa: E402
from guvercin.transports.web.readings import PHONES, READINGS, moment  # noqa: E402
from guvercin.transports.web.restrictions import RESTRICTIONS, restriction_in  # noqa: E402

ENGINE_VERSION: str = neonize.__version__
DATABASE = "engine.db"
JOURNAL = "journal"
DEVICE_NAME = "Güvercin"

_NOTHING_IS_KEPT = 3
"""The status of a process that ended because its journal can't be written."""

_LOCK_POLL = 0.1
_PATIENCE = 1.0
"""Seconds for which another worker may hold the folder before it is told: the last breath of the one before us."""

_POISON = "required field"
"""How the library says that it could not encode an event."""

_MOST_POISON = 5
"""Poisoned events in one process after which it ends: its parent knows how to wait, it doesn't."""

_LEFT_OUT = re.compile(r"Failed to encrypt (\S+) for (\S+):")
_NOT_KEPT = "Failed to store message secret key for outgoing message"
_WORTH_READING = (b"Failed to encrypt", _NOT_KEPT.encode(), *(name.encode() for name in RESTRICTIONS))

_EVENTS = {
    2: "PairStatus",
    3: "Connected",
    4: "KeepAliveTimeout",
    5: "KeepAliveRestored",
    6: "LoggedOut",
    7: "StreamReplaced",
    8: "TemporaryBan",
    9: "ConnectFailure",
    10: "ClientOutdated",
    12: "Disconnected",
    13: "HistorySync",
    17: "Message",
    18: "Receipt",
}
"""The library's numbers of what is listened to."""

_library_log.setLevel(logging.DEBUG)  # the library's own log, which only _read_log ever sees
_dialling = threading.local()
_callback = library.func_callback_bytes2
library.func_callback_bytes2 = lambda _: _callback(_dialling.reads_log)
"""The library would read the logs of all accounts with one function of its own: each has its own reader here."""


def now() -> datetime:
    """Answer the wall clock's time in UTC, to the millisecond."""
    at = datetime.now(UTC)  # noqa: TID251 -- a process of its own; what it tells is compared with nothing but itself
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


class Seat:
    """One account's connection and its folder. The folder is its own from the first dial on, until it leaves."""

    def __init__(self, folder: Path, tell: Callable[[p.Answer | p.Report], None], deadline: Deadline) -> None:
        self._folder = folder
        self.tell = tell
        """Say something of this account to the gateway."""
        self._deadline = deadline
        self._name = folder.name
        self._lock = threading.Lock()
        self._journal: Journal | None = None
        self._client: Any = None
        self._kept: list[Any] = []
        self._jid: str | None = None
        self._is_stopping = threading.Event()
        self._work = 0
        self._is_idle = threading.Condition()
        self._has_qr = threading.Event()
        self._left_out: set[str] = set()

    def keep(self, *entries: p.Entry) -> None:
        """Write entries into the journal, then ring. Where they can't be written this process ends.

        What was acknowledged, or noted of a send, from there on would be lost; and what is missing in the journal is
        taken for proof that a message never left.
        """
        if not entries:
            return
        with self._lock:
            if self._journal is None:  # it has left: whoever sits here now is another worker's account
                return
            try:
                self._journal.append(*entries)
            except OSError:
                os._exit(_NOTHING_IS_KEPT)
        self.tell(p.Bell())

    def expect_work(self) -> None:
        """Hear that a command is on its way to a thread: until it is done, this account is not idle."""
        with self._is_idle:
            self._work += 1

    def do(self, command: p.Command) -> None:
        """Do what was asked, in a thread of its own."""
        try:
            self._do(command)
        finally:
            with self._is_idle:
                self._work -= 1
                self._is_idle.notify_all()

    def leave(self) -> None:
        """Close the connection, and let go of the folder once nothing goes on that could still write there."""
        self.stop()
        with self._is_idle:
            self._is_idle.wait_for(lambda: not self._work)
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None
                os.close(self._held)
        self._deadline.set(self._name, None)
        self.tell(p.Left())

    def stop(self) -> None:
        """Let the library close the connection. One that was never linked can't be: it is given a moment."""
        self._is_stopping.set()
        if self._client is not None:
            self._client.stop()

    def _hold(self) -> bool:
        """Take the account's folder, when whoever has it lets go; says whether it is ours: we may be stopped before."""
        held = os.open(self._folder / p.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        tries = 0
        while not _is_locked(held):
            tries += 1
            if tries == round(_PATIENCE / _LOCK_POLL):
                self.tell(p.Waits())
            if self._is_stopping.wait(_LOCK_POLL):
                os.close(held)
                return False
        try:
            journal = Journal(self._folder / JOURNAL)
        except OSError:
            os.close(held)  # and the folder is free for the next try
            raise
        with self._lock:
            self._held, self._journal = held, journal
        self.tell(p.Holds())
        return True

    # -- commands

    def _do(self, command: p.Command) -> None:
        match command:
            case p.Connect():
                self._connect(command.jid)
            case p.Send():
                self._send(command)
            case p.Leave() | p.Prolong() | p.Stop():  # done where they are read
                return
            case _:
                try:
                    self.tell(self._answer(command))
                except Exception as trouble:  # noqa: BLE001 -- whatever the library raises is an answer here
                    self.tell(p.Failed(id=command.id, error=_text(trouble)))

    def _answer(self, command: p.AskCode | p.Check | p.Fetch | p.Unlink | p.Ping) -> p.Answer:
        client = self._client
        match command:
            case p.Ping():
                if client is None:
                    return p.Pong(id=command.id, is_connected=False, is_logged_in=False)
                return p.Pong(
                    id=command.id, is_connected=bool(client.is_connected), is_logged_in=bool(client.is_logged_in)
                )
            case p.AskCode():
                self._has_qr.wait(30)
                return p.PairingCode(id=command.id, code=client.PairPhone(command.phone, True))
            case p.Check():
                found = client.is_on_whatsapp(command.number)
                return p.Checked(id=command.id, is_registered=any(one.IsIn for one in found))
            case p.Fetch():
                self._fetch(command)
                return p.Done(id=command.id)
            case p.Unlink():
                client.logout()
                return p.Done(id=command.id)

    def _send(self, command: p.Send) -> None:
        try:
            message = self._message(command)
            message.messageContextInfo.messageSecret = command.secret
            self._deadline.look()
            sent = self._client.send_message(_jid(command.recipient), message)
        except Exception as trouble:  # noqa: BLE001 -- whatever the library raises is an answer here
            error = _text(trouble)
            self.keep(p.Answered(secret=command.secret, remote_id=None, error=error, at=now()))
            self.tell(p.Failed(id=command.id, error=error))
            return
        at = moment(sent.Timestamp, now())
        self.keep(p.Answered(secret=command.secret, remote_id=sent.ID, error=None, at=at))
        is_left_out = sent.ID in self._left_out
        self._left_out.discard(sent.ID)
        self.tell(p.Sent(id=command.id, remote_id=sent.ID, at=at, left_out=is_left_out))

    def _message(self, command: p.Send) -> Message:
        """Build what is sent. A file is uploaded here; nothing of the message itself leaves."""
        if command.file is None:
            return Message(conversation=command.text or "")
        content = Path(command.file).read_bytes()
        media_type = command.media_type or "application/octet-stream"
        if media_type.startswith("image/") and (picture := read_picture(content)) is not None:
            kept = self._client.upload(picture.content, MediaType.MediaImage)
            return Message(
                imageMessage=ImageMessage(
                    **_uploaded(kept),
                    mimetype=picture.media_type,
                    caption=command.text or None,
                    width=picture.width,
                    height=picture.height,
                    JPEGThumbnail=picture.preview,
                )
            )
        kept = self._client.upload(content, MediaType.MediaDocument)
        name = command.file_name or "dosya"
        document = DocumentMessage(
            **_uploaded(kept), mimetype=media_type, fileName=name, title=name, caption=command.text or None
        )
        if not command.text:
            return Message(documentMessage=document)
        return Message(
            documentWithCaptionMessage=FutureProofMessage(message=Message(documentMessage=document)),
        )

    def _fetch(self, command: p.Fetch) -> None:
        """Fetch a file whose message claims no more than the limit: the library holds all of it in memory."""
        message = Message.FromString(command.source)
        claimed = max(getattr(message, kind.name).fileLength for kind, _ in message.ListFields())
        if claimed > command.limit:
            raise ValueError(p.TOO_LARGE)
        content = self._client.download_any(message)
        if len(content) > command.limit:
            raise ValueError(p.TOO_LARGE)
        with Path(command.path).open("r+b") as file:
            file.write(content)

    # -- the connection

    def _connect(self, jid: str | None) -> None:
        """Dial, and stay in the library until it lets go. A poisoned event is dialled through again."""
        error = ""
        self._jid = jid
        try:
            for _ in range(_MOST_POISON if self._hold() else 0):
                self._deadline.look()
                # A new client each time, and the old one kept: its callbacks are called even after it was stopped.
                self._client = self._make(self._jid)
                self._kept.append(self._client)
                error = "" if self._is_stopping.is_set() else self._stay()
                if _POISON not in error or self._is_stopping.is_set():
                    break
                if "TemporaryBan" in error:
                    self.tell(p.Banned(reason=None, seconds=None))
                    break
                self.tell(p.Poisoned(error=error))
                if "ConnectFailure" in error:
                    break
                self._client.stop()
        except Exception as trouble:  # noqa: BLE001 -- told to the gateway, which decides
            error = _text(trouble)
        self.tell(p.Ended(error=error))

    def _stay(self) -> str:
        _dialling.reads_log = self._read_log
        try:
            self._client.connect()
        except Exception as trouble:  # noqa: BLE001 -- the end of a connection, in the library's words
            return _text(trouble)
        return ""

    def _make(self, jid: str | None) -> Any:
        props = DeviceProps(os=DEVICE_NAME, platformType=DeviceProps.CHROME)
        database = str(self._folder / DATABASE)
        if jid is None:
            client = library.NewClient(database, props=props, uuid=self._name, new_device=True)
        else:
            client = library.NewClient(database, jid=_session(jid), props=props, uuid=self._name)
        client.event.list_func = dict.fromkeys(_EVENTS)
        client.event.execute = self._hear
        client.event._qr = self._show_qr  # noqa: SLF001 -- its public way ends in a drawing on the terminal
        client._NewClient__onLoginStatus = self._hear_login  # noqa: SLF001 -- the end of linking is told here alone
        return client

    # -- what the library tells, in its own threads

    def _show_qr(self, _client: Any, text: bytes) -> None:
        self.tell(p.Qr(text=text.decode()))
        self._has_qr.set()

    def _hear_login(self, _uuid: int, word: int) -> None:
        self.tell(p.Linking(word=ctypes.string_at(word).decode(errors="replace")))

    def _read_log(self, address: int, size: int) -> None:
        """Read a line of the library's log. Only three of them matter, and none is passed on: they hold numbers."""
        with suppress(Exception):
            written = ctypes.string_at(address, size)
            if not any(word in written for word in _WORTH_READING):
                return
            text = LogEntry.FromString(written).Message
            if (restricted := restriction_in(text)) is not None:
                self.keep(restricted)
            elif found := _LEFT_OUT.search(text):
                # «user@lid» is the recipient's phone; with a device number it is another of their devices.
                if ":" not in found[2]:
                    self._left_out.add(found[1])
            elif _NOT_KEPT in text:
                self.keep(p.SecretNotKept(at=now()))

    def _hear(self, _uuid: int, address: int, size: int, code: int) -> None:
        """Take one event in the library's callback thread. Nothing may be raised into it."""
        try:
            name = _EVENTS.get(code)
            if name is not None:
                self._take(READINGS[name](INT_TO_EVENT[code].FromString(ctypes.string_at(address, size)), now()))
        except Exception:
            logging.getLogger(__name__).exception("event_not_read")

    def _take(self, words: Sequence[p.Entry | p.Report]) -> None:
        self.keep(*(word for word in words if isinstance(word, p.Entry)))
        for word in words:
            if isinstance(word, p.Linked):
                self._jid = word.jid
            if not isinstance(word, p.Entry):
                self.tell(word)


def _is_locked(file: int) -> bool:
    """Take the lock of a file if nobody has it; says whether it is ours."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _text(trouble: Exception) -> str:
    return str(trouble) or type(trouble).__name__


def _jid(number: str) -> JID:
    return JID(User=number.lstrip("+"), Device=0, RawAgent=0, Integrator=0, Server=PHONES, IsEmpty=False)


def _session(jid: str) -> JID:
    user, _, rest = jid.partition(":")
    device, _, server = rest.partition("@")
    return JID(User=user, Device=int(device), RawAgent=0, Integrator=0, Server=server, IsEmpty=False)


def _uploaded(kept: Any) -> dict[str, Any]:
    """Answer the fields that every media message has of its upload."""
    return {
        "URL": kept.url,
        "directPath": kept.DirectPath,
        "mediaKey": kept.MediaKey,
        "mediaKeyTimestamp": int(now().timestamp()),
        "fileEncSHA256": kept.FileEncSHA256,
        "fileSHA256": kept.FileSHA256,
        "fileLength": kept.FileLength,
    }
