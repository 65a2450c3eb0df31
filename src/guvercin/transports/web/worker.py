"""The child process that holds the connections of accounts: `python -m guvercin.transports.web.worker ROOT`.

ROOT holds a folder for each account; most workers have one account, and none has more than its seats.

It is the only file that imports neonize, and everything here that looks odd fences one of that library's defects:

- Its Go side prints to fd 1, so the protocol speaks on a copy of it and fd 1 is sent to stderr.
- Importing it configures the root logger; ours never meets it, for this process has none of ours.
- Events are acknowledged to WhatsApp when they are in the library's own queue. They are therefore taken in its callback
  thread and written to the journal right there; nothing waits for an event loop, there is none.
- An event that it can't encode ends all event delivery while the socket lives on and keeps acknowledging. The end of
  the connect call is watched, and the connection begun anew.
- A client that was never linked can't be stopped: `Stop` gives it a moment, then the process ends all the same.
- Asking who we are without a live client aborts the process, so nobody asks: the gateway reads that from the database.
- A session is always named by its jid: without one, the first of the file is resumed.
- Every message of its own accord claims to come from a business's bot: NEONIZE_BOT_TAG=off, set by the parent.

It decides nothing: no retries of sends, no waiting between them. Its parent's end is its own: when stdin closes, it is
gone at once, and whatever it was sending is for the journal and the database to tell. So it is when the time is over
for which an account was lent to it (deadline.py): its parent may be frozen, and another gateway have the account.
"""

import ctypes
import fcntl
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_PIPE = os.dup(1)
os.dup2(2, 1)  # before the library is loaded: what it prints must not meet the protocol

_ENGINE = find_spec("neonize")
if _ENGINE is None or not any(
    file.suffix in {".so", ".dylib", ".dll"}
    for folder in _ENGINE.submodule_search_locations or []
    for file in Path(folder).glob("neonize-*")
):
    sys.exit("ImportError: the engine's library is not installed")  # importing it would fetch one from the internet

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

from guvercin.core.inbound import Media  # noqa: E402
from guvercin.transports.web import protocol as p  # noqa: E402
from guvercin.transports.web.contents import content_of  # noqa: E402
from guvercin.transports.web.deadline import Deadline  # noqa: E402
from guvercin.transports.web.journal import Journal  # noqa: E402
from guvercin.transports.web.pictures import read_picture  # noqa: E402
from guvercin.transports.web.restrictions import RESTRICTIONS, restriction_in  # noqa: E402

DATABASE = "engine.db"
JOURNAL = "journal"
DEVICE_NAME = "Güvercin"

_THREADS = 64
_STOP_LIMIT = 3.0
_LOCK_POLL = 0.1
_PATIENCE = 1.0
"""Seconds for which another worker may hold the folder before it is told: the last breath of the one before us."""

_TIME_IS_OVER = 4
"""The status of a process that ended by its deadline."""

_POISON = "required field"
"""How the library says that it could not encode an event."""

_MOST_POISON = 5
"""Poisoned events in one process after which it ends: its parent knows how to wait, it doesn't."""

_LEFT_OUT = re.compile(r"Failed to encrypt (\S+) for (\S+):")
_NOT_KEPT = "Failed to store message secret key for outgoing message"
_WORTH_READING = (b"Failed to encrypt", _NOT_KEPT.encode(), *(name.encode() for name in RESTRICTIONS))
_PHONES = "s.whatsapp.net"
_LIDS = "lid"

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
"""What is subscribed to, and nothing else: what doesn't come can't be poison."""


_dialling = threading.local()
_callback = library.func_callback_bytes2
library.func_callback_bytes2 = lambda _: _callback(_dialling.reads_log)
"""The library would read the logs of all accounts with one function of its own: each has its own reader here."""


def now() -> datetime:
    """Answer the wall clock's time in UTC, to the millisecond."""
    at = datetime.now(UTC)  # noqa: TID251 -- a process of its own; what it tells is compared with nothing but itself
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def moment(seconds: int) -> datetime:
    """Answer WhatsApp's time of day, but never one that is still to come: its clock need not agree with ours."""
    return min(datetime.fromtimestamp(seconds, UTC), now()) if seconds > 0 else now()


class Pipe:
    """The way to the gateway, for all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def tell(self, word: p.Answer | p.Report, seat: str = "") -> None:
        """Write one line. Without a gateway there is nothing left to do here."""
        line = p.encode(word, seat)
        with self._lock:
            try:
                while line:
                    line = line[os.write(_PIPE, line) :]
            except OSError:
                os._exit(0)


class Worker:
    """This process: the seats of its accounts, and what comes for them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pipe = Pipe()
        self._pool = ThreadPoolExecutor(_THREADS)
        self._accounts: dict[str, Account] = {}
        self._deadline = Deadline(time.monotonic, lambda: os._exit(_TIME_IS_OVER))  # noqa: TID251 -- of all processes
        self._left: list[Account] = []
        """Kept: the library calls back to those that were stopped."""

    def serve(self, commands: Any) -> None:
        """Do what comes, until the pipe closes or Stop is said."""
        threading.Thread(target=self._deadline.keep, daemon=True).start()
        self._pipe.tell(p.Hello(version=p.VERSION, engine=neonize.__version__))
        for line in commands:
            seat, command = p.decode_command(line)
            match command:
                case p.Stop():
                    self._stop()
                    return
                case p.Connect():
                    self._deadline.set(seat, command.until)
                    self._accounts[seat] = Account(self._root / seat, self._pipe, self._deadline)
                case p.Prolong():
                    self._deadline.prolong(seat, command.until)
                    continue
                case p.Leave():
                    account = self._accounts.pop(seat)
                    self._left.append(account)
                    self._pool.submit(account.leave)
                    continue
                case _:
                    pass
            account = self._accounts[seat]
            account.expect_work()
            self._pool.submit(account.do, command)

    def _stop(self) -> None:
        stopping = [threading.Thread(target=account.stop, daemon=True) for account in self._accounts.values()]
        for each in stopping:
            each.start()
        for each in stopping:
            each.join(_STOP_LIMIT)


class Account:
    """One account's connection and its folder. The folder is its own from the first dial on, until it leaves."""

    def __init__(self, folder: Path, pipe: Pipe, deadline: Deadline) -> None:
        self._folder = folder
        self._pipe = pipe
        self._deadline = deadline
        self._seat = folder.name
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

    def tell(self, word: p.Answer | p.Report) -> None:
        """Say something of this account to the gateway."""
        self._pipe.tell(word, self._seat)

    def keep(self, *entries: p.Entry) -> None:
        """Write entries into the journal, then ring."""
        if not entries:
            return
        with self._lock:
            if self._journal is None:  # it has left: whoever sits here now is another worker's account
                return
            self._journal.append(*entries)
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
        self._deadline.set(self._seat, None)
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
        self._held = held
        with self._lock:
            self._journal = Journal(self._folder / JOURNAL)
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
        at = moment(sent.Timestamp)
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
            client = library.NewClient(database, props=props, uuid=self._folder.name, new_device=True)
        else:
            client = library.NewClient(database, jid=_session(jid), props=props, uuid=self._folder.name)
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
                event = INT_TO_EVENT[code].FromString(ctypes.string_at(address, size))
                _TAKERS[name](self, event)
        except OSError:
            os._exit(3)  # the journal can't be written: what is acknowledged from here on would be lost
        except Exception:
            logging.getLogger(__name__).exception("event_not_read")

    def take_receipt(self, event: Any) -> None:
        """Keep a receipt of a person; groups are nothing of ours."""
        source = event.MessageSource
        if not source.IsGroup:
            kind = event.DESCRIPTOR.fields_by_name["Type"].enum_type.values_by_number[event.Type].name
            self.keep(
                p.ReceiptHeard(
                    remote_ids=tuple(event.MessageIDs),
                    kind=kind,
                    from_me=source.IsFromMe,
                    at=moment(event.Timestamp),
                )
            )

    def take_message(self, event: Any) -> None:
        """Keep that somebody wrote to us, or that the owner wrote on another device."""
        info, source = event.Info, event.Info.MessageSource
        if source.IsGroup or source.Chat.Server not in {_PHONES, _LIDS}:
            return
        at = moment(info.Timestamp // 1000)
        if source.IsFromMe:
            recipient = _number(source.Chat, source.RecipientAlt)
            self.keep(p.WroteOurselves(remote_id=info.ID, recipient=recipient or "", at=at))
        elif (sender := _number(source.Sender, source.SenderAlt) or _hidden(source.Sender)) and (
            content := content_of(event.Message)
        ):
            media = content.media or Media()
            self.keep(
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
                )
            )

    def take_history(self, event: Any) -> None:
        """Keep who has written to this phone before, and when last: nothing else of its history is read."""
        found: list[p.Entry] = []
        for chat in event.Data.conversations:
            number = _history_number(chat)
            written = [
                one.message.messageTimestamp
                for one in chat.messages
                if not one.message.key.fromMe and one.message.messageTimestamp
            ]
            if number and written:
                found.append(p.Acquainted(number=number, last_inbound_at=moment(max(written))))
        self.keep(*found)

    def take_pairing(self, event: Any) -> None:
        """Tell that a phone took the link, or that it failed."""
        if event.Status == event.SUCCESS:
            self._jid = f"{event.ID.User}:{event.ID.Device}@{event.ID.Server}"
            self.tell(p.Linked(jid=self._jid))
        else:
            self.tell(p.Linking(word=f"err-{event.Error}"))

    def take_logout(self, event: Any) -> None:
        """Tell that WhatsApp ended the session."""
        reason = event.DESCRIPTOR.fields_by_name["Reason"].enum_type.values_by_number[event.Reason].name
        self.tell(p.LoggedOut(reason=reason, on_connect=event.OnConnect))

    def take_ban(self, event: Any) -> None:
        """Tell of a temporary ban."""
        reason = event.DESCRIPTOR.fields_by_name["Code"].enum_type.values_by_number[event.Code].name
        self.tell(p.Banned(reason=reason, seconds=_seconds(event.Expire)))

    def take_refusal(self, event: Any) -> None:
        """Tell that a sign-in was refused."""
        reason = event.DESCRIPTOR.fields_by_name["Reason"].enum_type.values_by_number[event.Reason].name
        self.tell(p.SignInRefused(reason=reason))


_TAKERS: dict[str, Callable[[Account, Any], None]] = {
    "PairStatus": Account.take_pairing,
    "Connected": lambda account, _: account.tell(p.Opened()),
    "KeepAliveTimeout": lambda account, _: account.tell(p.Dropped(why="silence")),
    "KeepAliveRestored": lambda account, _: account.tell(p.Restored()),
    "LoggedOut": Account.take_logout,
    "StreamReplaced": lambda account, _: account.tell(p.Replaced()),
    "TemporaryBan": Account.take_ban,
    "ConnectFailure": Account.take_refusal,
    "ClientOutdated": lambda account, _: account.tell(p.Outdated()),
    "Disconnected": lambda account, _: account.tell(p.Dropped(why="socket")),
    "HistorySync": Account.take_history,
    "Message": Account.take_message,
    "Receipt": Account.take_receipt,
}


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
    return JID(User=number.lstrip("+"), Device=0, RawAgent=0, Integrator=0, Server=_PHONES, IsEmpty=False)


def _session(jid: str) -> JID:
    user, _, rest = jid.partition(":")
    device, _, server = rest.partition("@")
    return JID(User=user, Device=int(device), RawAgent=0, Integrator=0, Server=server, IsEmpty=False)


def _number(*jids: JID) -> str | None:
    """Answer the phone number among a person's addresses, in E.164."""
    return next((f"+{jid.User}" for jid in jids if jid.Server == _PHONES and jid.User), None)


def _hidden(jid: JID) -> str | None:
    """Answer the address of a person who doesn't show the number. Whoever reads the journal may know whose it is."""
    return f"{jid.User}{p.HIDDEN}" if jid.Server == _LIDS and jid.User else None


def _history_number(chat: Any) -> str | None:
    for written in (chat.pnJID, chat.ID):
        user, _, server = written.partition("@")
        if server == _PHONES and user.isdigit():
            return f"+{user}"
    return None


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


def _seconds(expire: int) -> int | None:
    """Answer a ban's length: the library hands a Go duration on, in nanoseconds or seconds as its version likes."""
    if expire <= 0:
        return None
    return expire // 1_000_000_000 if expire >= 1_000_000_000 else expire


def main() -> None:
    """Run until the gateway says Stop or is gone. `--version` only says which engine it is."""
    if sys.argv[1:] == ["--version"]:
        os.write(_PIPE, f"{neonize.__version__}\n".encode())
        os._exit(0)
    logging.getLogger().setLevel(logging.WARNING)
    _library_log.setLevel(logging.DEBUG)  # the library's own log, which only _read_log ever sees
    Worker(Path(sys.argv[1])).serve(sys.stdin.buffer)
    os._exit(0)  # the library's threads end with the process, not before


if __name__ == "__main__":
    main()
