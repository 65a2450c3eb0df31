"""`onay …`: who has agreed to be advertised to."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from guvercin.cli.options import Json
from guvercin.cli.optouts import Phone
from guvercin.cli.reach import gateway, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, clock_time
from guvercin.core.consent import ConsentSource
from guvercin.core.token import Permission
from guvercin.locale import sentence


def list_all(
    context: typer.Context,
    *,
    phone: Annotated[str | None, typer.Option("--telefon", metavar="X", help=sentence("Of this person alone."))] = None,
    count: Annotated[int, typer.Option("--son", metavar="N", help=sentence("How many at most."))] = 50,
    as_json: Json = False,
) -> None:
    """List the consents, newest first."""
    terminal = Terminal.of(context, as_json=as_json)

    async def ask() -> dict[str, Any]:
        async with gateway(terminal, settings(terminal), Permission.READ) as gate:
            return await gate.ask("GET", "/onaylar", query={"telefon": phone, "limit": min(max(count, 1), 200)})

    answer = asyncio.run(ask())
    terminal.show(answer)
    say = terminal.say
    heads = (say("No"), say("Number"), say("Given at"), say("Where"), say("Kind"), say("Text"), say("Proof"))
    rows = [
        (
            str(each["id"]),
            each["telefon"],
            clock_time(each["onay_zamani_iso"]),
            each["onay_kaynagi"],
            each["alici_turu"],
            each["metin_surumu"] or "–",
            each["kanit_dosya_adi"] or "–",
        )
        for each in answer["data"]
    ]
    terminal.table(heads, rows)


def add(
    context: typer.Context,
    *,
    phone: Phone,
    source: Annotated[
        str, typer.Option("--kaynak", metavar="X", help=sentence("Where it was given, in İYS's words: HS_WEB …"))
    ],
    given_at: Annotated[
        str, typer.Option("--zaman", metavar="ZAMAN", help=sentence("When it was given: 2026-02-23 14:30"))
    ],
    is_merchant: Annotated[bool, typer.Option("--tacir", help=sentence("A merchant, not a private person."))] = False,
    version: Annotated[
        str | None,
        typer.Option("--metin", metavar="X", help=sentence("Which text they agreed to, in your own numbering.")),
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option("--kanit", metavar="DOSYA", help=sentence("The proof, a PDF or a picture; a copy of it is kept.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Record that somebody has agreed to be advertised to."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    if source not in set(ConsentSource):
        raise Trouble(
            say("{option} can't be «{value}».", option="--kaynak", value=source),
            say("Write one of these: {names}", names=", ".join(ConsentSource)),
            code=ExitCode.USAGE,
        )
    try:
        upload = None if proof is None else (proof.name, proof.read_bytes())
    except OSError as error:
        raise Trouble(
            say("The file {file} can't be read: {trouble}", file=str(proof), trouble=str(error.strerror)),
            say("Check the path."),
        ) from error
    asked: dict[str, Any] = {
        "telefon": phone,
        "onay_kaynagi": source,
        "onay_zamani": given_at,
        "alici_turu": "TACIR" if is_merchant else "BIREYSEL",
        "metin_surumu": version,
    }

    async def ask() -> dict[str, Any]:
        async with gateway(terminal, settings(terminal), Permission.ADMIN, Permission.FILE) as gate:
            if upload is not None:
                asked["kanit_dosya_id"] = (await gate.ask("POST", "/dosyalar", upload=upload))["dosya_id"]
            return await gate.ask("POST", "/onaylar", body=asked)

    answer = asyncio.run(ask())
    terminal.show(answer)
    terminal.tell(say("Kept: {phone} has agreed to commercial messages.", phone=answer["data"]["telefon"]))


def export(
    context: typer.Context,
    *,
    target: Annotated[Path, typer.Argument(metavar="HEDEF", help=sentence("The file to write: onaylar.csv"))],
) -> None:
    """Write all consents as CSV, in the columns that İYS takes."""
    terminal = Terminal.of(context)
    say = terminal.say

    async def ask() -> bytes:
        async with gateway(terminal, settings(terminal), Permission.READ) as gate:
            return (await gate.request("GET", "/onaylar.csv")).content

    content = asyncio.run(ask())
    try:
        with target.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise Trouble(say("{file} is there already, and nothing is overwritten.", file=str(target))) from None
    except OSError as error:
        raise Trouble(
            say("{file} can't be written: {trouble}", file=str(target), trouble=str(error.strerror)),
            say("Check the folder, its rights and the room on the disk."),
        ) from error
    terminal.tell(say("Written: {file}", file=str(target)))
