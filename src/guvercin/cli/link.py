"""`hesap bagla`: a phone takes the link, by a QR code on the screen or a code typed there.

The code is drawn in place, with the seconds that it is good for, and is wiped away at the end: whoever sees it can take
the account.
"""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin.cli.accounts import AccountId, state
from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, refused, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, clock_time, is_watched
from guvercin.core.message import HELD
from guvercin.core.token import Permission
from guvercin.locale import sentence

if TYPE_CHECKING:
    from guvercin.cli.reach import Gate

_LOOK_EVERY = 1.0

_RISK = (
    sentence("WhatsApp forbids unofficial and bulk use of linked phones: it may restrict or close your number."),
    sentence("For a number that matters to you, use Meta's official Cloud API, and write only to people who want it."),
)

_SCAN = sentence("On the phone: WhatsApp › Linked devices › Link a device, then scan this code.")
_TYPE = sentence(
    "On the phone: WhatsApp › Linked devices › Link a device › Link with phone number, then type this code."
)


def link(
    context: typer.Context,
    *,
    account_id: AccountId,
    phone: Annotated[
        str | None,
        typer.Option("--kod", metavar="TELEFON", help=sentence("Show a code to type on this phone, instead of a QR.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Link a phone to an account, watching until it is done."""
    terminal = Terminal.of(context, as_json=as_json)
    asyncio.run(_link(terminal, account_id, phone))


async def _link(terminal: Terminal, account_id: int, phone: str | None) -> None:
    say = terminal.say
    permissions = (Permission.ACCOUNTS, Permission.READ)
    async with gateway(terminal, settings(terminal), *permissions) as gate:
        needs_server(terminal, gate)
        for line in _RISK:
            terminal.note(say(line))
        path = f"/hesaplar/{account_id}/bagla"
        body = {"yontem": "kod", "telefon": phone} if phone else {"yontem": "qr"}
        found = (await gate.ask("POST", path, body=body))["data"]
        board = Board(terminal)
        try:
            while found["durum"] in {"hazirlaniyor", "gosteriliyor"}:
                board.show(found, datetime.now(UTC))  # noqa: TID251 -- a person watches, and the seconds are theirs
                await asyncio.sleep(_LOOK_EVERY)  # noqa: TID251 -- as above
                found = (await gate.ask("GET", path))["data"]
        finally:
            board.wipe()
        if found["durum"] != "baglandi":
            raise refused(terminal, await _why(terminal, gate, account_id, found))
        await _welcome(terminal, gate, account_id, found)


def needs_server(terminal: Terminal, gate: "Gate") -> None:
    """Stop where no server runs: a line is kept by the server, and a command's own would end with the command."""
    if not gate.is_live:
        say = terminal.say
        raise Trouble(
            say("The server does not run, and a phone's line lives in it."),
            say("Start it in another terminal: {command}", command=terminal.command("baslat")),
        )


async def _why(terminal: Terminal, gate: "Gate", account_id: int, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer why no phone was linked, as the API would tell a refusal."""
    from guvercin.core.errors import Code
    from guvercin.locale.codes import WORDS

    account = (await gate.ask("GET", f"/hesaplar/{account_id}"))["data"]
    code = Code(found["neden"] or account["kod"] or Code.LINKING_FAILED)
    return {"ok": False, "hata": terminal.say(WORDS[code].detail), "kod": code.value}


async def _welcome(terminal: Terminal, gate: "Gate", account_id: int, found: Mapping[str, Any]) -> None:
    """Tell which phone it is, ask whether it becomes the default, and tell of what is held."""
    say = terminal.say
    phone = str(found["telefon"])
    terminal.tell(say("Linked: {phone}", phone=phone))
    if not found["varsayilan"]:
        if _wants_default(terminal, phone):
            await gate.ask("POST", f"/hesaplar/{account_id}/varsayilan")
            terminal.tell(say("Messages without hesap_id leave from this account now."))
        else:
            command = terminal.command(f"hesap varsayilan {account_id}")
            terminal.tell(say("To let messages without hesap_id leave from it: {command}", command=command))
    query = {"hesap_id": account_id, "durum": "queued", "limit": 200}
    rows = (await gate.ask("GET", "/gonderimler", query=query))["data"]
    held = sum(row["neden"] in HELD for row in rows)
    if held:
        terminal.tell(
            say("{count} messages are held: they were meant for another number of this account.", count=str(held))
        )
        terminal.tell(say("Let them go out: {command}", command=terminal.command("kayit birak --hepsi")))
    terminal.show({"ok": True, "data": dict(found)})


def _wants_default(terminal: Terminal, phone: str) -> bool:
    say = terminal.say
    if terminal.as_json or not sys.stdin.isatty():
        return False
    question = say("Shall messages that name no account leave from {phone}?", phone=phone)
    print(question, say("[y/N]"), end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"e", "evet", "y", "yes"}


class Board:
    """The place on the screen where the code stands. Where nobody watches, each new code is written once, below."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._is_watched = is_watched() and not terminal.as_json
        self._height = 0
        self._shown: str | None = None

    def show(self, found: Mapping[str, Any], now: datetime) -> None:
        """Draw what is good now, over what was drawn before."""
        code = found["qr"] or found["kod"]
        if not self._is_watched:
            if code and code != self._shown:
                self._shown = code
                self._write(self._lines(found, now), end="\n")
            return
        self.wipe()
        lines = self._lines(found, now)
        self._height = len(lines)
        self._write(lines, end="\n")

    def wipe(self) -> None:
        """Take the code off the screen."""
        if self._height:
            sys.stderr.write(f"\x1b[{self._height}A\x1b[J")
            sys.stderr.flush()
            self._height = 0

    def _lines(self, found: Mapping[str, Any], now: datetime) -> list[str]:
        say = self._terminal.say
        if not (found["qr"] or found["kod"]):
            return [say("Waiting for WhatsApp's code …")]
        left = max(0, int((datetime.fromisoformat(found["gecerlilik_iso"]) - now).total_seconds()))
        seconds = say("Good for {seconds} more seconds.", seconds=str(left))
        if found["kod"]:
            return ["", f"    {found['kod']}", "", say(_TYPE), seconds]
        return [*_drawn(found["qr"]), say(_SCAN), seconds]

    @staticmethod
    def _write(lines: list[str], *, end: str) -> None:
        sys.stderr.write("\n".join(lines) + end)
        sys.stderr.flush()


def _drawn(text: str) -> list[str]:
    """Draw a QR code in half blocks, so that it fits a screen of 24 by 80 where it can."""
    import segno

    drawn = StringIO()
    segno.make(text, error="l").terminal(out=drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n").split("\n")


def unlink(context: typer.Context, *, account_id: AccountId, as_json: Json = False) -> None:
    """Unlink a phone."""
    terminal = Terminal.of(context, as_json=as_json)
    asyncio.run(_unlink(terminal, account_id))


async def _unlink(terminal: Terminal, account_id: int) -> None:
    async with gateway(terminal, settings(terminal), Permission.ACCOUNTS) as gate:
        answer = await gate.ask("POST", f"/hesaplar/{account_id}/baglantiyi-kes")
    terminal.show(answer)
    terminal.tell(terminal.say("Unlinked: «{name}». Its messages wait.", name=answer["data"]["isim"]))


def health(context: typer.Context, *, account_id: AccountId, as_json: Json = False) -> None:
    """Look at a line."""
    terminal = Terminal.of(context, as_json=as_json)
    asyncio.run(_health(terminal, account_id))


async def _health(terminal: Terminal, account_id: int) -> None:
    from guvercin.core.errors import Code
    from guvercin.locale.codes import WORDS

    say = terminal.say
    async with gateway(terminal, settings(terminal), Permission.READ) as gate:
        answer = await gate.ask("GET", f"/hesaplar/{account_id}/saglik")
    terminal.show(answer)
    found = answer["data"]
    terminal.tell(state(say, found))
    if found["kod"] in set(Code):
        words = WORDS[Code(found["kod"])]
        terminal.tell(say(words.detail))
        terminal.tell(say(words.todo))
    if found["bitis_iso"]:
        terminal.tell(say("Until: {time}", time=clock_time(found["bitis_iso"])))
    if not found["canli"]:
        raise typer.Exit(ExitCode.FAILED)


def mark_read(
    context: typer.Context,
    *,
    account_id: AccountId,
    message_id: Annotated[str, typer.Argument(metavar="MESAJ", help=sentence("WhatsApp's id of the message."))],
    as_json: Json = False,
) -> None:
    """Mark a customer's message as read."""
    terminal = Terminal.of(context, as_json=as_json)
    asyncio.run(_mark_read(terminal, account_id, message_id))


async def _mark_read(terminal: Terminal, account_id: int, message_id: str) -> None:
    async with gateway(terminal, settings(terminal), Permission.SEND) as gate:
        needs_server(terminal, gate)
        answer = await gate.ask("POST", f"/hesaplar/{account_id}/okundu", body={"message_id": message_id})
    terminal.show(answer)
    terminal.tell(terminal.say("The customer sees now that the message was read."))


def unclear(context: typer.Context, *, account_id: AccountId, as_json: Json = False) -> None:
    """Show what nobody understood."""
    terminal = Terminal.of(context, as_json=as_json)
    asyncio.run(_unclear(terminal, account_id))


async def _unclear(terminal: Terminal, account_id: int) -> None:
    async with gateway(terminal, settings(terminal), Permission.ACCOUNTS) as gate:
        answer = await gate.ask("GET", f"/hesaplar/{account_id}/anlasilmayanlar")
    terminal.show(answer)
    for each in answer["data"]:
        terminal.tell(f"{each['zaman']}  {each['ne']}  {each['govde']}")
    if not answer["data"]:
        terminal.tell(terminal.say("Nothing: everything that was told was understood."))
