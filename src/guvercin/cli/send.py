"""`gonder` and `dosya`: one message, and what became of it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import LONGEST_WAIT, Gate, gateway, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble
from guvercin.core.category import CATEGORIES, GENERAL, LARGEST_ID
from guvercin.core.folding import fold
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence
from guvercin.locale.terms import STATUSES

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config

Phone = Annotated[
    str,
    typer.Argument(metavar="TELEFON", help=sentence("The recipient's number, as you would write it: 0532 123 45 67")),
]
Name = Annotated[str | None, typer.Option("--isim", metavar="X", help=sentence("The recipient's name, for the log."))]
Category = Annotated[
    str,
    typer.Option("--tur", metavar="TUR", help=sentence("The kind of message, by name or number: fatura, randevu, 5")),
]
Account = Annotated[
    int | None,
    typer.Option("--hesap", metavar="NO", help=sentence("The account that sends; the default one if not given.")),
]
Reference = Annotated[
    str | None,
    typer.Option("--referans", metavar="X", help=sentence("Your own number for it, to find or cancel it by.")),
]
PlannedAt = Annotated[
    str | None,
    typer.Option("--zaman", metavar="ZAMAN", help=sentence("Not before this time: 2026-02-23 14:30")),
]
Lifetime = Annotated[
    int | None,
    typer.Option("--gecerlilik", metavar="DK", help=sentence("Give up if it can't leave within these minutes.")),
]
Wait = Annotated[
    int,
    typer.Option("--bekle", metavar="SN", help=sentence("How many seconds to wait for WhatsApp (10; at most 120).")),
]


def send(
    context: typer.Context,
    *,
    phone: Phone,
    text: Annotated[str, typer.Argument(metavar="MESAJ", help=sentence("The text, in quotes."))],
    name: Name = None,
    category: Category = GENERAL.code,
    account: Account = None,
    reference: Reference = None,
    planned_at: PlannedAt = None,
    lifetime: Lifetime = None,
    wait: Wait = 10,
    as_json: Json = False,
) -> None:
    """Send one message."""
    terminal = Terminal.of(context, as_json=as_json)
    body = {
        "telefon": phone,
        "mesaj": text,
        "isim": name,
        "tur_id": category,
        "hesap_id": account,
        "referans": reference,
        "planlanan_zaman": planned_at,
        "gecerlilik_dk": lifetime,
    }
    wait = _wait(terminal.say, wait)
    asyncio.run(_send(terminal, settings(terminal), "/gonder", body, wait=wait))


def send_file(
    context: typer.Context,
    *,
    phone: Phone,
    path: Annotated[str, typer.Argument(metavar="YOL", help=sentence("The file: PDF, JPEG, PNG or WebP."))],
    text: Annotated[
        str | None, typer.Option("--mesaj", metavar="X", help=sentence("A caption below the file."))
    ] = None,
    file_name: Annotated[
        str | None, typer.Option("--ad", metavar="X", help=sentence("The file name that the recipient sees."))
    ] = None,
    is_on_server: Annotated[
        bool,
        typer.Option("--sunucuda", help=sentence("The path is inside the server's file roots; nothing is uploaded.")),
    ] = False,
    name: Name = None,
    category: Category = GENERAL.code,
    account: Account = None,
    reference: Reference = None,
    planned_at: PlannedAt = None,
    lifetime: Lifetime = None,
    wait: Wait = 10,
    as_json: Json = False,
) -> None:
    """Send one file."""
    terminal = Terminal.of(context, as_json=as_json)
    body = {
        "telefon": phone,
        "mesaj": text,
        "isim": name,
        "tur_id": category,
        "hesap_id": account,
        "referans": reference,
        "planlanan_zaman": planned_at,
        "gecerlilik_dk": lifetime,
        "dosya_adi": file_name,
    }
    wait = _wait(terminal.say, wait)
    upload = None
    if is_on_server:
        body["dosya_yolu"] = path
    else:
        upload = (Path(path).name, _read(terminal.say, Path(path)))
    asyncio.run(_send(terminal, settings(terminal), "/dosya-gonder", body, wait=wait, upload=upload))


async def category_id(gate: Gate, say: Translator, written: str) -> int:
    """Answer the category that somebody wrote: its number, or its code or name as people spell it."""
    if written.isdecimal() and 1 <= int(written) <= LARGEST_ID:
        return int(written)
    asked = fold(written)
    for category in CATEGORIES.values():
        if asked in {fold(category.code), fold(category.name)}:
            return category.id
    known = (await gate.ask("GET", "/turler"))["data"]  # perhaps one of the owner's own
    for each in known:
        if asked in {fold(each["kod"]), fold(each["ad"])}:
            return int(each["id"])
    raise Trouble(
        say("There is no kind of message «{name}».", name=written),
        say("Kinds: {names}", names=", ".join(each["kod"] for each in known)),
        code=ExitCode.USAGE,
    )


async def _send(
    terminal: Terminal,
    config: "Config",
    path: str,
    body: Mapping[str, Any],
    *,
    wait: int,
    upload: tuple[str, bytes] | None = None,
) -> None:
    asked = {name: value for name, value in body.items() if value is not None}
    async with gateway(terminal, config, Permission.SEND, Permission.FILE, Permission.READ, sends=True) as gate:
        asked["tur_id"] = await category_id(gate, terminal.say, str(asked["tur_id"]))
        if upload:
            stored = await gate.ask("POST", "/dosyalar", upload=upload)
            asked["dosya_id"] = stored["dosya_id"]
        answer = await gate.ask("POST", path, body=asked, headers={"Prefer": f"wait={wait}"})
    terminal.show(answer)
    for line in outcome(terminal.say, answer, gate):
        terminal.tell(line)


def outcome(say: Translator, answer: Mapping[str, Any], gate: Gate) -> list[str]:
    """Answer what is told of an accepted message."""
    log_id = str(answer["log_id"])
    status = str(answer.get("durum", "sent"))
    lines = [say("{status}. Record {log_id}.", status=say(STATUSES[status]), log_id=log_id)]
    match status:
        case "sent":
            lines.append(say("WhatsApp's id: {id}", id=str(answer["message_id"])))
        case "unknown":
            lines.append(
                say("It may have left: nobody sends it again by itself. See: guvercin durum {log_id}", log_id=log_id)
            )
        case _ if gate.is_live:
            lines.append(say("It goes out by itself. Follow it: guvercin durum {log_id}", log_id=log_id))
        case _:
            lines.append(say("It is kept and goes out when the server runs: guvercin baslat"))
    return lines


def _wait(say: Translator, seconds: int) -> int:
    if not 0 <= seconds <= LONGEST_WAIT:
        raise Trouble(
            say("{option} can't be «{value}».", option="--bekle", value=str(seconds)),
            say("Write a number from 0 to {limit}.", limit=LONGEST_WAIT),
            code=ExitCode.USAGE,
        )
    return seconds


def _read(say: Translator, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Trouble(
            say("The file {file} can't be read: {trouble}", file=str(path), trouble=str(error.strerror)),
            say("Check the path. A path inside the server's file roots needs --sunucuda."),
        ) from error
