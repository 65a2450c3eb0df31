"""`saha-testi`: what only a real phone can prove, tried with two phones of a volunteer and written down.

Laws
1. The report holds steps, seconds, states and counts: no numbers, no texts, no names. It can be shown to anybody.
2. It sends what it says it sends, to the one number that it was given, and provokes nothing: limits and bans are not
   tried out.
3. A step that needs hands waits for them, and is left out where there are none.
"""

import asyncio
import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin import __version__
from guvercin.cli.accounts import AccountId
from guvercin.cli.link import needs_server
from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, settings
from guvercin.cli.sample import pdf, png
from guvercin.cli.terminal import ExitCode, Terminal, Trouble
from guvercin.core.token import Permission
from guvercin.locale import sentence

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.cli.reach import Gate
    from guvercin.config import Config
    from guvercin.gateway.clock import Clock
    from guvercin.transports.web.protocol import Entry

_PATIENCE = 120.0
"""Seconds that a person gets to pick up the other phone."""

_GRACE = 10.0
"""Seconds in which WhatsApp tells a line that came back what it has missed."""

_ARRIVED = frozenset({"delivered", "read"})
_LEFT_OUT = "atlandi"


class _NoHands(Exception):  # noqa: N818 -- no error: somebody says that this step is left out
    """Nobody is there to do what a step needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was tried: `seen` is the last state that was seen, in the wire's words. Left out: null."""

    name: str
    is_well: bool | None
    seconds: float
    seen: str


def field(
    context: typer.Context,
    *,
    account_id: AccountId,
    phone: Annotated[
        str,
        typer.Argument(metavar="TELEFON", help=sentence("The second phone of the volunteer; it gets five messages.")),
    ],
    is_sure: Annotated[bool, typer.Option("--evet", help=sentence("Don't ask."))] = False,
    as_json: Json = False,
) -> int:
    """Try a linked phone for real, and write down what happened."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    config = settings(terminal)
    if not is_sure:
        terminal.ask_first(say("Send five messages from account {id} to {phone}?", id=str(account_id), phone=phone))
    report = asyncio.run(_try_all(terminal, config, account_id, phone))
    is_well = all(step["is_well"] is not False for step in report["adimlar"])
    terminal.show({"ok": is_well, "data": report})
    terminal.tell(json.dumps(report, ensure_ascii=False, indent=2))
    file = _write(config, report)
    terminal.note(say("The report: {file}", file=str(file)))
    terminal.note(say("It holds no numbers and no texts. What each step shows, and what none can: docs/PHONE.md"))
    return ExitCode.OK if is_well else ExitCode.FAILED


async def _try_all(terminal: Terminal, config: "Config", account_id: int, phone: str) -> dict[str, Any]:
    from guvercin.gateway.clock import SystemClock
    from guvercin.transports.web.engines import Engines

    clock = SystemClock()
    permissions = (Permission.ACCOUNTS, Permission.READ, Permission.SEND, Permission.FILE)
    began = clock.now()
    async with gateway(terminal, config, *permissions) as gate:
        needs_server(terminal, gate)
        journal = config.engine_stores / str(account_id) / "journal"
        trial = _Trial(terminal, gate, clock, account_id=account_id, phone=phone, journal=journal)
        steps = [
            await trial.step("saglik", trial.probe),
            await trial.step("gecmis", trial.count_history),
            await trial.step("numara", trial.look_up),
        ]
        terminal.note(terminal.say("Now look at the second phone, and open each message as it comes."))
        steps += [
            await trial.step("metin", trial.send_text),
            await trial.step("belge", trial.send_document),
            await trial.step("resim", trial.send_picture),
            await trial.step("yanit", trial.hear_answer),
            await trial.step("telefondan", trial.hear_own),
            await trial.step("uzakta", trial.miss_receipts),
            await trial.step("yeniden_baslatma", trial.come_back),
            await trial.step("ikinci_metin", trial.send_text),
        ]
    engine = Engines(config.raised_engines).current()
    return {
        "guvercin": __version__,
        "motor": None if engine is None else engine.version,
        "python": platform.python_version(),
        "sistem": f"{platform.system()} {platform.machine()}",
        "baslangic": f"{began:%Y-%m-%dT%H:%MZ}",
        "alindilar": trial.receipts(),
        "adimlar": [asdict(step) for step in steps],
    }


def _write(config: "Config", report: dict[str, Any]) -> Path:
    """Keep the report in the data folder."""
    file = config.data_dir / f"saha-testi-{report['baslangic'].replace(':', '')}.json"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        json.dump(report, written, ensure_ascii=False, indent=2)
    return file


class _Trial:
    """The steps, and what they need. What the line hears and no API tells is counted in the account's journal."""

    def __init__(
        self, terminal: Terminal, gate: "Gate", clock: "Clock", *, account_id: int, phone: str, journal: Path
    ) -> None:
        self._terminal = terminal
        self._gate = gate
        self._clock = clock
        self._account_id = account_id
        self._phone = phone
        self._journal = journal
        self._sent = 0
        self._before = len(self._entries("ReceiptHeard"))

    async def step(self, name: str, work: Callable[[], Awaitable[tuple[bool, str]]]) -> Step:
        """Do one step. Trouble is a result here, by its code alone."""
        began = self._clock.monotonic()
        is_well: bool | None
        try:
            is_well, seen = await work()
        except _NoHands:
            is_well, seen = None, _LEFT_OUT
        except Trouble as trouble:
            is_well, seen = False, str(trouble.body.get("kod") or "hata")
        step = Step(name=name, is_well=is_well, seconds=round(self._clock.monotonic() - began, 2), seen=seen)
        sign = {True: "✓", False: "✗", None: "–"}[step.is_well]
        print(sign, step.name, step.seen, f"{step.seconds} s", file=sys.stderr, flush=True)
        return step

    # -- what the line says

    async def probe(self) -> tuple[bool, str]:
        found = (await self._gate.ask("GET", f"/hesaplar/{self._account_id}/saglik"))["data"]
        return bool(found["canli"]), str(found["kod"] or found["durum"])

    async def count_history(self) -> tuple[bool, str]:
        """Count the people of whom the phone's history said that they have written: how many, and nothing else."""
        return True, str(len({entry.number for entry in self._entries("Acquainted")}))  # type: ignore[union-attr] # those

    async def look_up(self) -> tuple[bool, str]:
        query = {"telefon": self._phone, "hesap_id": self._account_id}
        found = (await self._gate.ask("GET", "/numara-kontrol", query=query))["data"]
        return bool(found["whatsappta"]), "var" if found["whatsappta"] else "yok"

    def receipts(self) -> dict[str, int]:
        """Count the receipts that were heard since the trial began, by the engine's names for them."""
        heard = self._entries("ReceiptHeard")[self._before :]
        return dict(Counter(entry.kind for entry in heard))  # type: ignore[union-attr] # those

    # -- what goes out

    async def send_text(self) -> tuple[bool, str]:
        return await self._follow(await self._send_text())

    async def send_document(self) -> tuple[bool, str]:
        return await self._send_file("deneme.pdf", pdf())

    async def send_picture(self) -> tuple[bool, str]:
        return await self._send_file("deneme.png", png())

    # -- what needs hands

    async def hear_answer(self) -> tuple[bool, str]:
        say = self._terminal.say
        before = len(self._entries("Wrote"))
        await self._hands(say("On the second phone, answer with any word."))
        return await self._heard("Wrote", before)

    async def hear_own(self) -> tuple[bool, str]:
        say = self._terminal.say
        before = len(self._entries("WroteOurselves"))
        await self._hands(say("On the linked phone, write any word to the second one."))
        return await self._heard("WroteOurselves", before)

    async def miss_receipts(self) -> tuple[bool, str]:
        """Let a message be read while our line is away, and see whether WhatsApp has kept the receipts."""
        say, account = self._terminal.say, f"/hesaplar/{self._account_id}"
        await self._hands(say("Put the second phone into flight mode."))
        log_id = await self._send_text()
        await self._gate.ask("POST", f"{account}/duraklat")
        try:
            await self._hands(say("Take the second phone out of flight mode, and open the message there."))
        finally:
            await self._gate.ask("POST", f"{account}/devam")
        status = await self._status(log_id, _ARRIVED, within=_GRACE + _PATIENCE / 4)
        return status in _ARRIVED, status

    async def come_back(self) -> tuple[bool, str]:
        """See the session resume after a restart, without a new code."""
        say = self._terminal.say
        await self._hands(say("Stop the server and start it again, in its own terminal."))
        deadline = self._clock.monotonic() + _PATIENCE
        while True:
            try:
                is_alive, state = await self.probe()
            except Trouble:
                is_alive, state = False, "yok"
            if is_alive or self._clock.monotonic() > deadline:
                return is_alive, state
            await self._moment()

    async def _hands(self, what: str) -> None:
        """Ask for something that only a person can do, and wait for Enter. An «a», or nobody: the step is left out."""
        print(what, self._terminal.say("[Enter; a: leave it out]"), file=sys.stderr, flush=True)
        answer = await asyncio.to_thread(sys.stdin.readline)
        if not answer or answer.strip().lower() == "a":
            raise _NoHands

    # -- how

    async def _send_text(self) -> int:
        return await self._send(
            "/gonder", {"mesaj": self._terminal.say("A trial message of Güvercin. Please open it.")}
        )

    async def _send_file(self, name: str, content: bytes) -> tuple[bool, str]:
        upload = await self._gate.ask("POST", "/dosyalar", upload=(name, content))
        return await self._follow(await self._send("/dosya-gonder", {"dosya_id": upload["dosya_id"]}))

    async def _send(self, path: str, body: dict[str, Any]) -> int:
        whole = {"telefon": self._phone, "hesap_id": self._account_id, **body}
        # Each time a message of its own: the guard against repeats must not answer with the one before.
        self._sent += 1
        whole["referans"] = f"saha-{self._clock.now().timestamp():.0f}-{self._sent}"
        return int((await self._gate.ask("POST", path, body=whole))["log_id"])

    async def _follow(self, log_id: int) -> tuple[bool, str]:
        """Watch a message until it is read, or patience ends. Delivered is well too: people hide their reading."""
        status = await self._status(log_id, frozenset({"read"}), within=_PATIENCE)
        return status in _ARRIVED, status

    async def _status(self, log_id: int, wanted: frozenset[str], *, within: float) -> str:
        deadline, status = self._clock.monotonic() + within, ""
        while status not in {*wanted, "failed", "cancelled"} and self._clock.monotonic() < deadline:
            status = (await self._gate.ask("GET", f"/durum/{log_id}"))["data"]["durum"]
            await self._moment()
        return status

    async def _heard(self, kind: str, before: int) -> tuple[bool, str]:
        """Wait until the line has heard one more of a kind."""
        deadline = self._clock.monotonic() + _PATIENCE / 4
        while len(self._entries(kind)) == before and self._clock.monotonic() < deadline:
            await self._moment()
        is_heard = len(self._entries(kind)) > before
        return is_heard, "duyuldu" if is_heard else "duyulmadi"

    async def _moment(self) -> None:
        await self._clock.sleep_until(self._clock.monotonic() + 0.5)

    def _entries(self, kind: str) -> "list[Entry]":
        from guvercin.transports.web.journal import holding

        return [each for each in holding(self._journal, kind.encode()) if type(each).__name__ == kind]
