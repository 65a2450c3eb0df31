"""`toplu-rapor`: who got a bulk and who didn't, as a file for a spreadsheet. It overwrites nothing."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from guvercin.cli.bulk import BatchId
from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble
from guvercin.core.token import Permission
from guvercin.locale import sentence

_FORMS = frozenset({".xlsx", ".csv"})


def report(
    context: typer.Context,
    *,
    batch_id: BatchId,
    target: Annotated[
        Path,
        typer.Argument(metavar="DOSYA", help=sentence("The file to write: its name ends in .xlsx or .csv.")),
    ],
    as_json: Json = False,
) -> int:
    """Write the report of a bulk, one line for each recipient."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    config = settings(terminal)
    form = target.suffix.lower()
    if form not in _FORMS:
        raise Trouble(
            say("A report is written as .xlsx or .csv, not as {file}.", file=target.name),
            say("Choose another name."),
            code=ExitCode.USAGE,
        )

    async def ask() -> bytes:
        async with gateway(terminal, config, Permission.READ) as gate:
            return (await gate.request("GET", f"/toplu/{batch_id}/rapor{form}")).content

    write_new(terminal, target, asyncio.run(ask()))
    terminal.show({"ok": True, "dosya": str(target)})
    terminal.tell(say("Written: {file}", file=str(target)))
    return ExitCode.OK


def write_new(terminal: Terminal, target: Path, content: bytes) -> None:
    """Write a file that was not there. Trouble says why it can't be."""
    say = terminal.say
    try:
        with target.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise Trouble(
            say("{file} is there already, and nothing is overwritten.", file=str(target)), say("Choose another name.")
        ) from error
    except OSError as error:
        raise Trouble(
            say("{file} can't be written: {trouble}", file=str(target), trouble=str(error.strerror)),
            say("Check the folder, its rights and the room on the disk."),
        ) from error
