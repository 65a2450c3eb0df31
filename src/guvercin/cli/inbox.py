"""`gelen`: what people wrote to your numbers."""

import asyncio
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, settings
from guvercin.cli.reports import write_new
from guvercin.cli.terminal import Terminal, clock_time
from guvercin.core.inbound import InboundKind
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence
from guvercin.locale.terms import INBOUND_KINDS

_MOST = 200
_WORDS = 60


def listing(
    context: typer.Context,
    *,
    is_unread: Annotated[bool, typer.Option("--okunmamis", help=sentence("Only what nobody has read yet."))] = False,
    sender: Annotated[
        str | None, typer.Option("--gonderen", metavar="X", help=sentence("Of this person alone."))
    ] = None,
    account: Annotated[
        int | None, typer.Option("--hesap", metavar="NO", help=sentence("To this account alone."))
    ] = None,
    since: Annotated[
        str | None, typer.Option("--bu-yana", metavar="ZAMAN", help=sentence("Everything since: 2026-02-23 14:30"))
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help=sentence("How many, newest first (20)."))] = 20,
    as_json: Json = False,
) -> None:
    """List what people wrote to you, newest first."""
    if context.invoked_subcommand is not None:
        return
    terminal = Terminal.of(context, as_json=as_json)
    query = {
        "okundu": "false" if is_unread else None,
        "gonderen": sender,
        "hesap_id": account,
        "baslangic": since,
        "limit": min(max(limit, 1), _MOST),
    }
    answer = asyncio.run(_ask(terminal, query))
    terminal.show(answer)
    say, rows = terminal.say, answer["data"]
    if not rows:
        terminal.tell(say("Nobody has written yet.") if len(_asked(query)) == 1 else say("Nothing with this filter."))
        return
    heads = (say("No"), say("Time"), say("From"), say("Account"), say("State"), say("Text"))
    terminal.table(
        heads,
        [
            (
                str(row["id"]),
                clock_time(row["zaman_iso"]),
                " ".join(filter(None, (row["gonderen"], row["isim"]))),
                str(row["hesap_id"]),
                say("Read") if row["okundu"] else say("New"),
                words(say, row),
            )
            for row in rows
        ],
    )
    terminal.tell(say("Not read yet: {count}", count=answer["okunmamis"]))


def save(
    context: typer.Context,
    *,
    message_id: Annotated[
        int,
        typer.Argument(metavar="ID", min=1, help=sentence("The number of the message, as «guvercin gelen» shows it.")),
    ],
    target: Annotated[
        Path | None,
        typer.Option(
            "--kaydet", metavar="YOL", help=sentence("The file to write, or the folder to write it into (.).")
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch the file that came with a message and save it; it overwrites nothing."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say

    async def ask() -> tuple[str, bytes]:
        async with gateway(terminal, settings(terminal), Permission.READ) as gate:
            answer = await gate.request("GET", f"/gelen/{message_id}/dosya")
        return unquote(answer.headers["content-disposition"].rpartition("''")[2]), answer.content

    name, content = asyncio.run(ask())
    path = target or Path()
    if path.is_dir():
        path /= name
    write_new(terminal, path, content)
    terminal.show({"ok": True, "dosya": str(path), "boyut": len(content)})
    terminal.tell(say("Written: {file}", file=str(path)))


def words(say: Translator, row: dict[str, Any]) -> str:
    """Answer a message in one line: what it is, unless it is a text, and its first words."""
    kind = InboundKind(row["tip"])
    name = (row["medya"] or {}).get("ad")
    what = f"[{name or say(INBOUND_KINDS[kind])}]" if kind is not InboundKind.TEXT else ""
    text = " ".join((row["metin"] or "").split())
    if len(text) > _WORDS:
        text = text[: _WORDS - 1] + "…"
    return " ".join(filter(None, (what, text)))


def _asked(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


async def _ask(terminal: Terminal, query: dict[str, Any]) -> dict[str, Any]:
    async with gateway(terminal, settings(terminal), Permission.READ) as gate:
        return await gate.ask("GET", "/gelen", query=_asked(query))
