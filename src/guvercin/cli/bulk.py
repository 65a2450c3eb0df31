"""`toplu`: one text to a list of people, asked first, watched while it goes.

Laws
1. Nothing is accepted before its sender has seen how many it is for and has said yes (or --evet).
2. Watching is only watching: Ctrl+C leaves, and the server goes on.
3. Progress comes from the rows, as the server counts them.
"""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin.cli.messages import why
from guvercin.cli.options import Json
from guvercin.cli.reach import Gate, gateway, settings
from guvercin.cli.recipients import Row, UnreadableList, read_rows
from guvercin.cli.send import Account, Category, PlannedAt, Reference, category_id
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, is_watched
from guvercin.core.category import GENERAL
from guvercin.core.message import WaitsFor
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config

MOST_RECIPIENTS = 10_000
"""What one request of the API takes."""

_PLACE = re.compile(r"\{\s*\w+[^{}]*\}")
"""A place to fill, like {isim}: sent as it is, everybody would read the braces."""

_LOOK_EVERY = 1.0
_PATIENCE = 3  # looks at a line that is down, before it is believed
_BAD_SHOWN = 5

_UNREADABLE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "spreadsheet": (
            sentence("This is a spreadsheet, not a CSV file."),
            sentence("In the spreadsheet program: Save as → CSV, then give that file."),
        ),
        "empty": (sentence("The list is empty."), sentence("Write one recipient a line: telefon;isim")),
        "no_phones": (
            sentence("No column of the list looks like phone numbers."),
            sentence("Give the columns a first line: telefon;isim"),
        ),
        "broken": (sentence("The list can't be read as CSV."), sentence("Save it again as CSV, in UTF-8.")),
    },
)


def bulk(
    context: typer.Context,
    *,
    source: Annotated[
        str,
        typer.Argument(
            metavar="DOSYA|-", help=sentence("A CSV file with telefon and isim, or - to read it from stdin.")
        ),
    ],
    text: Annotated[str, typer.Option("--mesaj", metavar="X", help=sentence("The text that everybody gets."))],
    category: Category = GENERAL.code,
    account: Account = None,
    reference: Reference = None,
    planned_at: PlannedAt = None,
    is_sure: Annotated[bool, typer.Option("--evet", help=sentence("Don't ask."))] = False,
    as_json: Json = False,
) -> int:
    """Send one text to a list of people."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    config = settings(terminal)
    rows = _rows(say, source)
    _check(say, rows, text)
    asked = {
        "alicilar": [{"telefon": row.phone, "isim": row.name} for row in rows],
        "mesaj": text,
        "tur_id": category_id(say, category),
        "hesap_id": account,
        "referans": reference,
        "planlanan_zaman": planned_at,
    }
    body = {name: value for name, value in asked.items() if value is not None}
    sifted = sift(rows)
    for line in forecast(say, len(rows), sifted, asyncio.run(_gap(terminal, config, account))):
        terminal.note(line)
    if not sifted.good:
        raise Trouble(say("No number of the list can be read."), say("Write the numbers like this: 0532 123 45 67"))
    if not is_sure:
        terminal.ask_first(say("Send to {count} people?", count=sifted.good))
    return asyncio.run(_bulk(terminal, config, body))


def _check(say: Translator, rows: Sequence[Row], text: str) -> None:
    if len(rows) > MOST_RECIPIENTS:
        raise Trouble(
            say("The list has {count} recipients; the most is {limit}.", count=len(rows), limit=MOST_RECIPIENTS),
            say("Divide it into several lists."),
        )
    if place := _PLACE.search(text):
        raise Trouble(
            say("The text has a place to fill, {place}: that is not supported yet.", place=place[0]),
            say("Write one text that suits everybody."),
            code=ExitCode.USAGE,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """A list looked through: how many numbers are good and different, which rows are not, how many repeat another."""

    good: int
    bad: Sequence[Row]
    repeats: int


def sift(rows: Sequence[Row]) -> Sifted:
    """Look through a list as the gateway will."""
    from guvercin.core.phone import InvalidPhone, parse_phone

    numbers: set[str] = set()
    bad: list[Row] = []
    for row in rows:
        try:
            numbers.add(parse_phone(row.phone).e164)
        except InvalidPhone:
            bad.append(row)
    return Sifted(good=len(numbers), bad=bad, repeats=len(rows) - len(bad) - len(numbers))


async def _bulk(terminal: Terminal, config: "Config", body: Mapping[str, Any]) -> ExitCode:
    async with gateway(terminal, config, Permission.BULK, Permission.READ, sends=True) as gate:
        answer = await gate.request("POST", "/toplu-gonder", body=body, headers={"Prefer": "respond-async"})
        where = answer.headers["Location"].rpartition("/")[2]
        try:
            record = await _watch(terminal, gate, where)
        except asyncio.CancelledError:
            terminal.note("")
            terminal.note(_goodbye(terminal.say, gate, where))
            raise
        terminal.show({"ok": True, "data": record})
        if record["durum"] != "finished":
            return _unfinished(terminal, gate, record)
    return _result(terminal, record)


def forecast(say: Translator, rows: int, sifted: Sifted, gap: float) -> list[str]:
    """Answer what there is to know before saying yes: how many, which look wrong, how long it takes at this gap."""
    lines = [
        say(
            "Rows: {count}. To send: {good}, wrong numbers: {bad}, repeated: {repeats}",
            count=rows,
            good=sifted.good,
            bad=len(sifted.bad),
            repeats=sifted.repeats,
        ),
    ]
    told = [say("line {line}: {phone}", line=str(row.line), phone=row.phone or "–") for row in sifted.bad[:_BAD_SHOWN]]
    if len(sifted.bad) > _BAD_SHOWN:
        told.append(say("and {count} more", count=len(sifted.bad) - _BAD_SHOWN))
    lines += [f"  {line}" for line in told]
    time = duration(say, timedelta(seconds=gap * sifted.good))
    return [*lines, say("It takes about {duration}.", duration=time)]


def duration(say: Translator, length: timedelta) -> str:
    """Answer a length of time as people say it: «1 hour 36 min»."""
    seconds = max(1, round(length.total_seconds()))
    hours, minutes = divmod(round(seconds / 60), 60)
    if seconds < 90:
        return say("{seconds} s", seconds=seconds)
    if not hours:
        return say("{minutes} min", minutes=minutes)
    return say("{hours} h {minutes} min", hours=hours, minutes=minutes)


async def _gap(terminal: Terminal, config: "Config", account_id: int | None) -> float:
    """Answer the mean gap of bulk messages on the account that will send, in seconds; 0 if none is there to send."""
    async with gateway(terminal, config, Permission.READ) as gate:
        accounts = (await gate.ask("GET", "/hesaplar"))["data"]
        wanted = [
            each["id"] for each in accounts if (each["varsayilan"] if account_id is None else each["id"] == account_id)
        ]
        if not wanted:
            return 0.0
        gap = (await gate.ask("GET", f"/hesaplar/{wanted[0]}"))["data"]["araliklar"]["toplu"]
    return float(gap["en_az"] + gap["en_cok"]) / 2


async def _watch(terminal: Terminal, gate: Gate, batch_id: str) -> dict[str, Any]:
    """Show progress until the batch is finished, or until watching is of no use.

    A moving line if somebody watches, else a line for every tenth. A bulk that waits for its time is left to it, and
    so is one whose line stays down while no server runs.
    """
    from guvercin.gateway.clock import SystemClock

    clock = SystemClock()
    moving = is_watched() and not terminal.as_json
    told, stuck = -1, 0
    while True:
        record: dict[str, Any] = (await gate.ask("GET", f"/toplu/{batch_id}"))["data"]
        done = record["sent"] + record["failed"]
        line = progress(terminal.say, record)
        if moving:
            print(f"\r\x1b[2K{line}", end="", flush=True)
        elif (tenth := done * 10 // max(1, record["total"])) > told:
            told = tenth
            terminal.note(line)
        stuck = stuck + 1 if record["neden"] and not gate.is_live else 0
        if record["durum"] == "finished" or record["neden"] == WaitsFor.TIME or stuck > _PATIENCE:
            if moving:
                print()
            return record
        await clock.sleep_until(clock.monotonic() + _LOOK_EVERY)


def progress(say: Translator, record: Mapping[str, Any]) -> str:
    """Answer one line of progress."""
    done = record["sent"] + record["failed"]
    line = say(
        "{done}/{total}  ✓{sent} ✗{failed}",
        done=done,
        total=record["total"],
        sent=record["sent"],
        failed=record["failed"],
    )
    if record["durum"] == "finished":
        return line
    if record["neden"]:
        return f"{line}  {why(say, record['neden'])}"
    ends = record["tahmini_bitis"]
    time = say("ends about {time}", time=str(ends)[11:16]) if ends else ""
    return f"{line}  {time}".rstrip()


def _goodbye(say: Translator, gate: Gate, batch_id: str) -> str:
    if gate.is_live:
        return say("You only stopped watching: the server goes on with bulk {id}.", id=batch_id)
    return say("Stopping after the message in hand. The rest of bulk {id} is kept for: guvercin baslat", id=batch_id)


def _unfinished(terminal: Terminal, gate: Gate, record: Mapping[str, Any]) -> ExitCode:
    """Tell of a bulk that nobody needs to watch."""
    say = terminal.say
    waits = say("Bulk {id} is kept: {reason}", id=str(record["id"]), reason=why(say, record["neden"]))
    terminal.tell(waits)
    if not gate.is_live:
        terminal.tell(say("They go out when the server runs: guvercin baslat"))
    return ExitCode.OK if record["neden"] == WaitsFor.TIME else ExitCode.NOT_LINKED


def _result(terminal: Terminal, record: Mapping[str, Any]) -> ExitCode:
    say = terminal.say
    doubt = record["dagilim"]["unknown"]
    terminal.tell(
        say(
            "Done: {sent} of {total} sent, {failed} failed.",
            sent=record["sent"],
            total=record["total"],
            failed=record["failed"],
        )
    )
    if doubt:
        terminal.tell(say("In doubt: {count}. They may have left. See: guvercin kayit --durum unknown", count=doubt))
    if record["failed"] == record["total"]:
        return ExitCode.FAILED
    return ExitCode.PARTLY if record["failed"] or doubt else ExitCode.OK


def _rows(say: Translator, source: str) -> Sequence[Row]:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return read_rows(raw)
    except OSError as error:
        raise Trouble(
            say("The file {file} can't be read: {trouble}", file=source, trouble=str(error.strerror)),
            say("Check the path."),
        ) from error
    except UnreadableList as error:
        what, remedy = _UNREADABLE[error.what]
        raise Trouble(say(what), say(remedy)) from error
