"""The phone in the terminal of `deneme-sunucusu`: what can be typed, and what is shown."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from guvercin.cli.reach import gateway, holder
from guvercin.cli.terminal import Terminal, Trouble
from guvercin.core.folding import fold
from guvercin.core.token import Permission

if TYPE_CHECKING:  # heavy, and only there with the extra `test`
    from guvercin.cli.reach import Gate
    from guvercin.config import Config
    from guvercin.testing.whatsapp.phones import Phone, Received
    from guvercin.testing.whatsapp.server import WhatsApp

_LOOK_EVERY = 1.0
"""Seconds between two looks of --tara for a code."""


class Desk:
    """One simulated phone, `own`, that people use by typing, and what reaches the phones of everybody else."""

    def __init__(self, terminal: Terminal, server: "WhatsApp", own: "Phone") -> None:
        self._terminal, self._server, self._own = terminal, server, own
        self._shown = 0
        self._linked: set[int] = set()
        self._scanned = ""
        self.is_leaving = asyncio.Event()
        self._verbs: dict[str, Callable[[str], Awaitable[None]]] = {
            **dict.fromkeys(("kod", "code"), self._type_code),
            **dict.fromkeys(("yaz", "write"), self._write),
            **dict.fromkeys(("kes", "cut"), self._cut),
            **dict.fromkeys(("uzakta", "away"), self._leave),
            **dict.fromkeys(("kaldir", "unlink"), self._unlink),
            **dict.fromkeys(("cik", "quit"), self._quit),
        }

    def greet(self, folder: Path) -> None:
        """Say how a server of ours is started against this one, and what can be typed here."""
        say, tell = self._terminal.say, self._terminal.tell
        phone = f"+{self._own.number}"
        tell(say("The WhatsApp test server runs on this machine; nothing leaves it."))
        tell(say("The phone in this terminal: {phone}. Every other number is on WhatsApp too.", phone=phone))
        tell()
        tell(say("In another terminal:"))
        tell(f"  export GUVERCIN_WHATSAPP_TEST_SERVER={shlex.quote(str(folder))}")
        tell(f"  {self._terminal.command('baslat')}")
        tell()
        tell(say("Link an account of kind web there, then paste the text of its QR code here. You can also type:"))
        for typed, what in (
            (say("code ABCD-EFGH"), say("the code that it shows")),
            (say("write +905321110022 Hello"), say("somebody writes to the linked phone")),
            (say("cut"), say("break its connection")),
            (say("away 30"), say("be away for so many seconds")),
            (say("unlink"), say("remove it, as on a phone")),
            (say("quit"), say("end everything")),
        ):
            tell(f"  {typed:<30} {what}")

    async def do(self, line: str) -> None:
        """Do what was typed; what can't be done is said."""
        word, _, rest = line.partition(" ")
        verb = self._verbs.get(fold(word))
        if line:
            await self._tried(self._scan(line) if verb is None else verb(rest.strip()))

    async def show_messages(self) -> None:
        """Show every message that a linked phone sends, as its recipient has it."""
        while True:
            for received in await self._server.until(lambda: self._server.received[self._shown :], within=None):
                self._terminal.tell(self._told(received))
                self._shown += 1

    async def show_links(self) -> None:
        """Show when a linked phone comes and goes."""
        while True:
            await self._server.until(lambda: self._connected() != self._linked, within=None)
            connected = self._connected()
            for number in sorted(connected - self._linked):
                self._terminal.tell(self._terminal.say("Device {number} is connected.", number=str(number)))
            for number in sorted(self._linked - connected):
                self._terminal.tell(self._terminal.say("Device {number} is not connected.", number=str(number)))
            self._linked = connected

    async def scan_by_itself(self, config: "Config", account: int) -> None:
        """Ask our server for an account's code again and again, once it runs, and scan or type each new one."""
        self._terminal.tell(self._terminal.say("Waits for a code of account {id}.", id=str(account)))
        while True:
            # While no server runs nobody is asked: a look must not take its folder.
            if (found := holder(config.lock)) is not None and found.address is not None:
                with suppress(Trouble):  # it is starting, or has just ended: the next look will tell
                    async with gateway(self._terminal, config, Permission.ACCOUNTS, Permission.READ) as gate:
                        while holder(config.lock) == found:
                            await self._scan_what_is_shown(gate, account)
                            await self._server.clock.sleep_until(self._server.clock.monotonic() + _LOOK_EVERY)
            await self._server.clock.sleep_until(self._server.clock.monotonic() + _LOOK_EVERY)

    async def _scan_what_is_shown(self, gate: "Gate", account: int) -> None:
        try:
            shown = (await gate.ask("GET", f"/hesaplar/{account}/bagla"))["data"]
        except Trouble as trouble:
            if "kod" not in trouble.body:
                raise
            return  # there is no such account yet, or it has no phone
        code, text = shown.get("kod") or "", shown.get("qr") or ""
        if (code or text) not in ("", self._scanned):
            self._scanned = code or text
            await self._tried(self._type_code(code) if code else self._scan(text))

    def _connected(self) -> set[int]:
        return {number for number, device in self._own.devices.items() if device.connection is not None}

    def _told(self, received: "Received") -> str:
        at = received.at.astimezone().strftime("%H:%M:%S")
        to = f"+{received.to.number}" if received.to else "?"
        if received.message is None:
            return " ".join((at, to, "←", self._terminal.say("(the phone can't read it)")))
        return f"{at} {to} ← {_file_of(received)}«{received.text}»"

    async def _tried(self, doing: Awaitable[None]) -> None:
        from guvercin.testing.whatsapp.linking import LinkingError

        try:
            await doing
        except LinkingError as error:
            self._terminal.note(self._terminal.say("Not linked: {trouble}", trouble=self._terminal.say(str(error))))
        except (ValueError, TimeoutError, ConnectionError):
            self._terminal.note(self._terminal.say("That can't be done."))

    async def _scan(self, text: str) -> None:
        device = await self._own.scan(text)
        self._terminal.tell(self._terminal.say("Linked: device {number}.", number=str(device.number)))

    async def _type_code(self, code: str) -> None:
        device = await self._own.type_code(code)
        self._terminal.tell(self._terminal.say("Linked: device {number}.", number=str(device.number)))

    async def _write(self, rest: str) -> None:
        phone, _, text = rest.partition(" ")
        writer = self._server.phones.get(digits(phone)) or self._server.add_phone(digits(phone))
        await writer.write(self._own, text)

    async def _cut(self, _: str) -> None:
        for device in self._own.devices.values():
            if device.connection is not None:
                await device.connection.cut()

    async def _leave(self, seconds: str) -> None:
        self._server.leave_for(timedelta(seconds=float(seconds)))
        await self._cut("")

    async def _unlink(self, _: str) -> None:
        for device in list(self._own.devices.values()):
            await self._own.unlink(device)

    async def _quit(self, _: str) -> None:
        self.is_leaving.set()


def digits(phone: str) -> str:
    """Answer a phone number as WhatsApp writes it: digits alone. ValueError: it holds something else."""
    found = phone.strip().lstrip("+").replace(" ", "")
    if not found.isascii() or not found.isdigit():
        raise ValueError("a phone number is digits")
    return found


def _file_of(received: "Received") -> str:
    """Answer what a message's file is called and how large it is, with a space behind; nothing for a text."""
    message = received.message
    if message.HasField("documentWithCaptionMessage"):
        message = message.documentWithCaptionMessage.message
    if message.HasField("documentMessage"):
        return f"[{message.documentMessage.fileName}, {message.documentMessage.fileLength} B] "
    if message.HasField("imageMessage"):
        image = message.imageMessage
        return f"[{image.mimetype}, {image.width}×{image.height}] "
    return ""
