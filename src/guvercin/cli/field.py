"""`saha-testi`: what only a real phone can prove, tried with two phones of a volunteer and written down.

The report holds steps, seconds and states: no numbers, no texts, no names. It can be shown to anybody.
"""

import asyncio
import json
import platform
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin import __version__
from guvercin.cli.accounts import AccountId
from guvercin.cli.link import needs_server
from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble
from guvercin.core.token import Permission
from guvercin.locale import sentence

if TYPE_CHECKING:
    from guvercin.cli.reach import Gate
    from guvercin.gateway.clock import Clock

_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
_PATIENCE = 120.0
"""Seconds that a person gets to pick up the other phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was tried: `seen` is the last state that was seen, in the wire's words."""

    name: str
    is_well: bool
    seconds: float
    seen: str


def field(
    context: typer.Context,
    *,
    account_id: AccountId,
    phone: Annotated[
        str,
        typer.Argument(metavar="TELEFON", help=sentence("The second phone of the volunteer; it gets three messages.")),
    ],
    is_sure: Annotated[bool, typer.Option("--evet", help=sentence("Don't ask."))] = False,
    as_json: Json = False,
) -> int:
    """Try a linked phone for real, and write down what happened."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    if not is_sure:
        terminal.ask_first(say("Send three messages from account {id} to {phone}?", id=str(account_id), phone=phone))
    steps = asyncio.run(_try_all(terminal, account_id, phone))
    report = {
        "guvercin": __version__,
        "python": platform.python_version(),
        "sistem": f"{platform.system()} {platform.machine()}",
        "adimlar": [asdict(step) for step in steps],
    }
    is_well = all(step.is_well for step in steps)
    terminal.show({"ok": is_well, "data": report})
    terminal.tell(json.dumps(report, ensure_ascii=False, indent=2))
    terminal.note(say("The report holds no numbers and no texts. The list of what is still to be seen: docs/PHONE.md"))
    return ExitCode.OK if is_well else ExitCode.FAILED


async def _try_all(terminal: Terminal, account_id: int, phone: str) -> list[Step]:
    from guvercin.gateway.clock import SystemClock

    clock = SystemClock()
    permissions = (Permission.ACCOUNTS, Permission.READ, Permission.SEND, Permission.FILE)
    async with gateway(terminal, settings(terminal), *permissions) as gate:
        needs_server(terminal, gate)
        trial = _Trial(terminal, gate, clock, account_id, phone)
        steps = [await trial.step("saglik", trial.probe), await trial.step("numara", trial.look_up)]
        terminal.note(terminal.say("Now look at the second phone, and open each message as it comes."))
        steps += [
            await trial.step("metin", trial.send_text),
            await trial.step("belge", trial.send_file),
            await trial.step("ikinci_metin", trial.send_text),
        ]
    return steps


class _Trial:
    """The steps, and what they need."""

    def __init__(self, terminal: Terminal, gate: "Gate", clock: "Clock", account_id: int, phone: str) -> None:
        self._terminal = terminal
        self._gate = gate
        self._clock = clock
        self._account_id = account_id
        self._phone = phone

    async def step(self, name: str, work: Callable[[], Awaitable[tuple[bool, str]]]) -> Step:
        """Do one step. Trouble is a result here, by its code alone."""
        began = self._clock.monotonic()
        try:
            is_well, seen = await work()
        except Trouble as trouble:
            is_well, seen = False, str(trouble.body.get("kod") or "hata")
        step = Step(name=name, is_well=is_well, seconds=round(self._clock.monotonic() - began, 2), seen=seen)
        print("✓" if step.is_well else "✗", step.name, step.seen, f"{step.seconds} s", file=sys.stderr)
        return step

    async def probe(self) -> tuple[bool, str]:
        found = (await self._gate.ask("GET", f"/hesaplar/{self._account_id}/saglik"))["data"]
        return bool(found["canli"]), str(found["kod"] or found["durum"])

    async def look_up(self) -> tuple[bool, str]:
        query = {"telefon": self._phone, "hesap_id": self._account_id}
        found = (await self._gate.ask("GET", "/numara-kontrol", query=query))["data"]
        return bool(found["whatsappta"]), "var" if found["whatsappta"] else "yok"

    async def send_text(self) -> tuple[bool, str]:
        text = self._terminal.say("A trial message of Güvercin. Please open it.")
        return await self._follow(await self._send("/gonder", {"mesaj": text}))

    async def send_file(self) -> tuple[bool, str]:
        upload = await self._gate.ask("POST", "/dosyalar", upload=("deneme.pdf", _PDF))
        return await self._follow(await self._send("/dosya-gonder", {"dosya_id": upload["dosya_id"]}))

    async def _send(self, path: str, body: dict[str, Any]) -> int:
        whole = {"telefon": self._phone, "hesap_id": self._account_id, **body}
        # Each time a message of its own: the guard against repeats must not answer with the one before.
        whole["referans"] = f"saha-{self._clock.now().timestamp():.0f}"
        return int((await self._gate.ask("POST", path, body=whole))["log_id"])

    async def _follow(self, log_id: int) -> tuple[bool, str]:
        """Watch a message until it is read, or patience ends. Delivered is well too: people hide their reading."""
        deadline = self._clock.monotonic() + _PATIENCE
        status = ""
        while status not in {"read", "failed", "cancelled"} and self._clock.monotonic() < deadline:
            status = (await self._gate.ask("GET", f"/durum/{log_id}"))["data"]["durum"]
            await self._clock.sleep_until(self._clock.monotonic() + 1.0)
        return status in {"delivered", "read"}, status
