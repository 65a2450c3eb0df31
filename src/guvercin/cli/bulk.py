"""`toplu`: one text to a list of people, asked first, watched while it goes.

Laws
1. Nothing is accepted before its sender has seen how many it is for, when it ends, and has said yes (or --evet).
2. Ctrl+C pauses the bulk, and says how it goes on.
3. Progress comes from the rows, as the server counts them.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin.cli import preview
from guvercin.cli.messages import why
from guvercin.cli.options import Json
from guvercin.cli.reach import Gate, gateway, settings
from guvercin.cli.send import Account, Category, Lifetime, PlannedAt, Reference, category_id
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, is_watched
from guvercin.core.category import GENERAL
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import WaitsFor
from guvercin.core.template import BrokenTemplate, Template, known_values, read_template
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence
from guvercin.locale.faults import LIST

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config
    from guvercin.core.recipients import Person
    from guvercin.gateway.lists import CustomerList

_LOOK_EVERY = 1.0
_PATIENCE = 3  # looks at a line that is down, before it is believed
_RIGHTS = (Permission.BULK, Permission.FILE, Permission.READ)


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
    lifetime: Lifetime = None,
    is_of_customers: Annotated[
        bool,
        typer.Option(
            "--mevcut",
            help=sentence(
                "You declare that everybody on this list is a customer of yours. It is recorded; the list goes faster, "
                "and a wrong declaration can cost you the number."
            ),
        ),
    ] = False,
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
    raw = _read(say, source)
    read = _people(say, raw)
    _check(say, read.people, text, file)
    form, known = asyncio.run(
        _form_and_verdicts(
            terminal,
            config,
            raw,
            category,
            {
                "mesaj": text,
                "dosya_yolu": file,
                "hesap_id": account,
                "referans": reference,
                "planlanan_zaman": planned_at,
                "gecerlilik_dk": lifetime,
                "mevcut_musteriler": "true" if is_of_customers else None,
            },
        )
    )
    preview.check(say, known)
    for line in preview.lines(say, known, is_of_customers=is_of_customers):
        terminal.note(line)
    if read.is_scarred:
        terminal.note(say("Some letters look broken (Þ, ý, ð): the file was saved with a wrong encoding before."))
    if not known["gonderilecek"]:
        if any(person.is_good for person in read.people):
            raise Trouble(say("Nobody of the list may be written to."), say("The lines above say why."))
        raise Trouble(say("No number of the list can be read."), say("Write the numbers like this: 0532 123 45 67"))
    terminal.note(say("The first one reads: «{text}»", text=known["ornek"] or ""))
    if not is_sure:
        terminal.ask_first(say("Send to {count} people?", count=known["gonderilecek"]))
    try:
        return asyncio.run(_bulk(terminal, config, raw, form, is_declared=is_declared))
    except Trouble as trouble:
        if trouble.body.get("kod") != Code.DECLARATION_NEEDED or is_sure:
            raise
        terminal.note(trouble.what)
    terminal.ask_first(say("Do you declare that this text is no advertising?"))
    return asyncio.run(_bulk(terminal, config, raw, form, is_declared=True))


def _values(person: "Person") -> dict[str, str]:
    return known_values({**person.variables, "isim": person.name or ""})


def _check(say: Translator, people: Sequence["Person"], text: str, file: str | None) -> None:
    """Refuse what the server would refuse, in the words of a list: lines and columns."""
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


def _template(say: Translator, text: str) -> Template:
    try:
        return read_template(text)
    except BrokenTemplate as broken:
        raise Trouble(
            say("A brace stands alone at letter {at} of the text.", at=str(broken.at)),
            say("A place to fill has one on each side; for a brace itself write it twice."),
            code=ExitCode.USAGE,
        ) from broken


async def _form_and_verdicts(
    terminal: Terminal, config: "Config", raw: bytes, category: str, asked: Mapping[str, Any]
) -> tuple[Mapping[str, str], Mapping[str, Any]]:
    """Answer what is asked of a list, and what the server says of it. The list is kept there for a day."""
    async with gateway(terminal, config, *_RIGHTS) as gate:
        form = {"tur_id": await category_id(gate, terminal.say, category), **asked}
        written = {name: str(value) for name, value in form.items() if value is not None}
        return written, await preview.upload(gate, raw, written)


async def _bulk(
    terminal: Terminal, config: "Config", raw: bytes, form: Mapping[str, str], *, is_declared: bool
) -> ExitCode:
    """Send a list. It is handed in once more: a yes may come after the token of the first look has ended."""
    async with gateway(terminal, config, *_RIGHTS, sends=True) as gate:
        found = await preview.upload(gate, raw, form)
        preview.check(terminal.say, found)
        answer = await gate.request(
            "POST",
            f"/toplu/taslak/{found['taslak_id']}/baslat",
            query={"beyan": "true" if is_declared else "false"},
            headers={"Prefer": "respond-async"},
        )
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


def _read(say: Translator, source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise Trouble(
            say("The file {file} can't be read: {trouble}", file=source, trouble=str(error.strerror)),
            say("Check the path."),
        ) from error


def _people(say: Translator, raw: bytes) -> "CustomerList":
    from guvercin.gateway.lists import read_list

    try:
        return read_list(raw)
    except GuvercinError as refusal:
        words = LIST[refusal.faults[0].fault]
        raise Trouble(say(words.plain), say(words.remedy) if words.remedy else "") from refusal


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
