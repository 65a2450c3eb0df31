"""`toplu`: one text to a list of people, asked first, watched while it goes.

Laws
1. Nothing is accepted before its sender has seen how many it is for and has said yes (or --evet).
2. Ctrl+C pauses the bulk, and says how it goes on.
3. Progress comes from the rows, as the server counts them.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin.cli.messages import why
from guvercin.cli.options import Json
from guvercin.cli.reach import Gate, gateway, settings
from guvercin.cli.send import Account, Category, PlannedAt, Reference, category_id
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, is_watched
from guvercin.core.category import GENERAL
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import WaitsFor
from guvercin.core.template import BrokenTemplate, Template, known_values, read_template
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence
from guvercin.locale.faults import LIST, PHONE

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config
    from guvercin.core.recipients import Person

MOST_RECIPIENTS = 10_000
"""What one request of the API takes."""

_LOOK_EVERY = 1.0
_PATIENCE = 3  # looks at a line that is down, before it is believed
_BAD_SHOWN = 5


def bulk(
    context: typer.Context,
    *,
    source: Annotated[
        str,
        typer.Argument(
            metavar="DOSYA|-", help=sentence("An Excel or CSV file with telefon and isim, or - to read it from stdin.")
        ),
    ],
    text: Annotated[
        str,
        typer.Option(
            "--mesaj", metavar="X", help=sentence("The text. {isim} and the names of your columns are filled for each.")
        ),
    ],
    file: Annotated[
        str | None,
        typer.Option(
            "--dosya",
            metavar="YOL",
            help=sentence("A file on the server for each, like /faturalar/{fatura no}.pdf."),
        ),
    ] = None,
    category: Category = GENERAL.code,
    account: Account = None,
    reference: Reference = None,
    planned_at: PlannedAt = None,
    is_declared: Annotated[
        bool,
        typer.Option("--tanitim-degil", help=sentence("Say that a text that sounds like advertising is none.")),
    ] = False,
    is_sure: Annotated[bool, typer.Option("--evet", help=sentence("Don't ask."))] = False,
    as_json: Json = False,
) -> int:
    """Send a text to a list of people."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    config = settings(terminal)
    people, is_scarred = _people(say, source)
    template = _check(say, people, text, file)
    used = {slot.key for words in (text, file or "") for slot in _template(say, words).slots}
    asked = {
        "alicilar": [_line(person, used) for person in people],
        "mesaj": text,
        "sablon": True,
        "dosya_yolu": file,
        "hesap_id": account,
        "referans": reference,
        "planlanan_zaman": planned_at,
        "beyan": is_declared,
    }
    body = {name: value for name, value in asked.items() if value is not None}
    sifted = sift(people)
    gap, body["tur_id"] = asyncio.run(_gap_and_category(terminal, config, account, category))
    for line in forecast(say, sifted, gap):
        terminal.note(line)
    if is_scarred:
        terminal.note(say("Some letters look broken (Þ, ý, ð): the file was saved with a wrong encoding before."))
    if not sifted.good:
        raise Trouble(say("No number of the list can be read."), say("Write the numbers like this: 0532 123 45 67"))
    first = next(person for person in people if person.is_good)
    terminal.note(say("The first one reads: «{text}»", text=template.fill(_values(first))))
    if not is_sure:
        terminal.ask_first(say("Send to {count} people?", count=sifted.good))
    try:
        return asyncio.run(_bulk(terminal, config, body))
    except Trouble as trouble:
        if trouble.body.get("kod") != Code.DECLARATION_NEEDED or is_sure:
            raise
        terminal.note(trouble.what)
    terminal.ask_first(say("Do you declare that this text is no advertising?"))
    return asyncio.run(_bulk(terminal, config, {**body, "beyan": True}))


def _line(person: "Person", used: set[str]) -> dict[str, Any]:
    """Write a recipient as the API takes it, with those columns alone that are used: a wide list has many."""
    line = {
        "telefon": person.typed if person.phone is None else person.phone.e164,
        "isim": person.name,
        "referans": person.reference,
        "degiskenler": {name: value for name, value in person.variables.items() if name in used},
    }
    return {name: value for name, value in line.items() if value}


def _values(person: "Person") -> dict[str, str]:
    return known_values({**person.variables, "isim": person.name or ""})


def _check(say: Translator, people: Sequence["Person"], text: str, file: str | None) -> Template:
    """Refuse what the server would refuse, in the words of a list: lines and columns. Answers the text's places."""
    if len(people) > MOST_RECIPIENTS:
        raise Trouble(
            say("The list has {count} recipients; the most is {limit}.", count=len(people), limit=MOST_RECIPIENTS),
            say("Divide it into several lists."),
        )
    template = _template(say, text)
    for places in (template, _template(say, file or "")):
        for person in people:
            missing = places.missing(_values(person))
            if missing is not None:
                raise Trouble(
                    say("Line {line} has nothing for «{place}».", line=str(person.line), place=missing.name),
                    say("Columns: {names}.", names=", ".join(sorted({*person.variables, "isim"})))
                    + " "
                    + say("Fill the cell, or write a fallback after a bar."),
                    code=ExitCode.USAGE,
                )
    return template


def _template(say: Translator, text: str) -> Template:
    try:
        return read_template(text)
    except BrokenTemplate as broken:
        raise Trouble(
            say("A brace stands alone at letter {at} of the text.", at=str(broken.at)),
            say("A place to fill has one on each side; for a brace itself write it twice."),
            code=ExitCode.USAGE,
        ) from broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """A list looked through: how many rows are good, which have no good number, how many repeat another.

    `several`: how many cells held more numbers than the one that was taken.
    """

    good: int
    bad: Sequence["Person"]
    repeats: int
    several: int

    @property
    def rows(self) -> int:
        """Answer the number of rows."""
        return self.good + len(self.bad) + self.repeats


def sift(people: Sequence["Person"]) -> Sifted:
    """Look through a list as the gateway will."""
    bad = [person for person in people if person.phone is None]
    good = sum(person.is_good for person in people)
    several = sum(person.is_first_of_several for person in people)
    return Sifted(good=good, bad=bad, repeats=len(people) - len(bad) - good, several=several)


async def _bulk(terminal: Terminal, config: "Config", body: Mapping[str, Any]) -> ExitCode:
    async with gateway(terminal, config, Permission.BULK, Permission.READ, sends=True) as gate:
        answer = await gate.request("POST", "/toplu-gonder", body=body, headers={"Prefer": "respond-async"})
        where = answer.headers["Location"].rpartition("/")[2]
        try:
            record = await _watch(terminal, gate, where)
        except asyncio.CancelledError:
            terminal.note("")
            await asyncio.shield(gate.ask("POST", f"/toplu/{where}/duraklat"))
            for line in _goodbye(terminal.say, where):
                terminal.note(line)
            raise
        terminal.show({"ok": True, "data": record})
        if record["durum"] != "finished":
            return _unfinished(terminal, gate, record)
    return _result(terminal, record)


def forecast(say: Translator, sifted: Sifted, gap: float) -> list[str]:
    """Answer what there is to know before saying yes: how many, which look wrong, how long it takes at this gap."""
    lines = [
        say(
            "Rows: {count}. To send: {good}, wrong numbers: {bad}, repeated: {repeats}",
            count=sifted.rows,
            good=sifted.good,
            bad=len(sifted.bad),
            repeats=sifted.repeats,
        ),
    ]
    told = [_wrong(say, person) for person in sifted.bad[:_BAD_SHOWN]]
    if len(sifted.bad) > _BAD_SHOWN:
        told.append(say("and {count} more", count=len(sifted.bad) - _BAD_SHOWN))
    lines += [f"  {line}" for line in told]
    if sifted.several:
        lines.append(
            say("In {count} rows there are several numbers: the first mobile one is taken.", count=sifted.several)
        )
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


async def _gap_and_category(
    terminal: Terminal, config: "Config", account_id: int | None, category: str
) -> tuple[float, int]:
    """Answer the mean gap of bulk messages on the account that will send, in seconds, and what a category's id is.

    The gap is 0 if no account is there to send.
    """
    async with gateway(terminal, config, Permission.READ) as gate:
        known = await category_id(gate, terminal.say, category)
        accounts = (await gate.ask("GET", "/hesaplar"))["data"]
        wanted = [
            each["id"] for each in accounts if (each["varsayilan"] if account_id is None else each["id"] == account_id)
        ]
        if not wanted:
            return 0.0, known
        gap = (await gate.ask("GET", f"/hesaplar/{wanted[0]}"))["data"]["araliklar"]["toplu"]
    return float(gap["en_az"] + gap["en_cok"]) / 2, known


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


def _wrong(say: Translator, person: "Person") -> str:
    where = say("line {line}: {phone}", line=str(person.line), phone=person.typed or "–")
    words = PHONE.get(person.fault or "")
    return f"{where}  {say(words.plain)}" if words else where


def _goodbye(say: Translator, batch_id: str) -> list[str]:
    return [
        say("Bulk {id} is paused; a message in hand still leaves.", id=batch_id),
        say("Go on: guvercin toplu-devam {id}  ·  Withdraw the rest: guvercin toplu-iptal {id}", id=batch_id),
    ]


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


def _people(say: Translator, source: str) -> tuple[Sequence["Person"], bool]:
    """Read the list; answers its people and whether its letters look broken."""
    from guvercin.gateway.lists import read_list

    try:
        read = read_list(sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes())
    except OSError as error:
        raise Trouble(
            say("The file {file} can't be read: {trouble}", file=source, trouble=str(error.strerror)),
            say("Check the path."),
        ) from error
    except GuvercinError as refusal:
        words = LIST[refusal.faults[0].fault]
        raise Trouble(say(words.plain), say(words.remedy or "")) from refusal
    return read.people, read.is_scarred


BatchId = Annotated[int, typer.Argument(metavar="TOPLU_ID", min=1, help=sentence("The number of the bulk."))]


def pause(context: typer.Context, *, batch_id: BatchId, as_json: Json = False) -> int:
    """Stop a bulk until it is resumed."""
    return _decide(context, batch_id, "duraklat", as_json=as_json)


def resume(context: typer.Context, *, batch_id: BatchId, as_json: Json = False) -> int:
    """Let a paused bulk go on."""
    return _decide(context, batch_id, "devam", as_json=as_json)


def cancel(context: typer.Context, *, batch_id: BatchId, as_json: Json = False) -> int:
    """Withdraw the rest of a bulk."""
    return _decide(context, batch_id, "iptal", as_json=as_json)


def _decide(context: typer.Context, batch_id: int, verb: str, *, as_json: bool) -> int:
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)

    async def ask() -> dict[str, Any]:
        async with gateway(terminal, config, Permission.BULK) as gate:
            return dict(await gate.ask("POST", f"/toplu/{batch_id}/{verb}"))

    answer = asyncio.run(ask())
    terminal.show(answer)
    terminal.tell(progress(terminal.say, answer["data"]))
    return ExitCode.OK
