"""`durum` and `kayit`: what became of messages, and what the owner decides about held ones."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import Gate, database, gateway, holder, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, clock_time
from guvercin.core.errors import Code
from guvercin.core.message import HELD, Status, WaitsFor
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence
from guvercin.locale.terms import LINES, STATUSES, WAITS

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config
    from guvercin.core.account import Account
    from guvercin.store.verbs.messages import Depth

UNFINISHED = (Status.QUEUED, Status.SENDING, Status.UNKNOWN)
_PAGE = 200
_SHOWN = 20
_WORDS = 40

LogId = Annotated[int | None, typer.Argument(metavar="LOG_ID", help=sentence("The number of the record."))]
Every = Annotated[bool, typer.Option("--hepsi", help=sentence("All records that a restored backup holds back."))]


def status(
    context: typer.Context,
    *,
    log_id: Annotated[
        int | None,
        typer.Argument(metavar="LOG_ID", help=sentence("The record to look at; without it, everything at a glance.")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show one message, or everything at a glance."""
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    if log_id is None:
        asyncio.run(_glance(terminal, config))
    else:
        asyncio.run(_one(terminal, config, log_id))


def listing(
    context: typer.Context,
    *,
    wanted: Annotated[
        str | None, typer.Option("--durum", metavar="X", help=sentence("Only this state: queued, sent, failed …"))
    ] = None,
    phone: Annotated[str | None, typer.Option("--telefon", metavar="X", help=sentence("Only this recipient."))] = None,
    reference: Annotated[
        str | None, typer.Option("--referans", metavar="X", help=sentence("Only this reference."))
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help=sentence("How many, newest first (20)."))] = _SHOWN,
    as_json: Json = False,
) -> None:
    """List the log, newest first."""
    if context.invoked_subcommand is not None:
        return
    terminal = Terminal.of(context, as_json=as_json)
    if wanted is not None and wanted not in STATUSES:
        say = terminal.say
        raise Trouble(
            say("{option} can't be «{value}».", option="--durum", value=wanted),
            say("Write one of these: {names}", names=", ".join(STATUSES)),
            code=ExitCode.USAGE,
        )
    query = {"durum": wanted, "telefon": phone, "referans": reference}
    asyncio.run(_list(terminal, settings(terminal), query, limit))


def release(context: typer.Context, *, log_id: LogId = None, every: Every = False, as_json: Json = False) -> None:
    """Let held records go out."""
    terminal = Terminal.of(context, as_json=as_json)
    asyncio.run(_decide(terminal, settings(terminal), log_id, "birak", every=every))


def cancel(context: typer.Context, *, log_id: LogId = None, every: Every = False, as_json: Json = False) -> None:
    """Withdraw a record that has not left."""
    terminal = Terminal.of(context, as_json=as_json)
    asyncio.run(_decide(terminal, settings(terminal), log_id, "iptal", every=every))


async def _glance(terminal: Terminal, config: "Config") -> None:
    """Show the server, the lines and the queue as the data folder has them: looking starts nothing."""
    say = terminal.say
    found = holder(config.lock)
    accounts: Sequence[Account] = ()
    depths: Sequence[Depth] = ()
    if config.database.exists():
        async with database(terminal, config) as store:
            accounts, depths = await store.accounts(), await store.depths()
    accounts = [account for account in accounts if account.removed_at is None]
    counts = {status: sum(depth.by_status.get(status, 0) for depth in depths) for status in UNFINISHED}
    is_live = found is not None and found.address is not None
    terminal.show(
        {
            "ok": True,
            "data": {
                "sunucu": {"calisiyor": is_live, "adres": found.address if found else None},
                "hesaplar": [
                    {"id": it.id, "isim": it.name, "tur": it.kind, "varsayilan": it.is_default, "hat": it.line.state}
                    for it in accounts
                ],
                "sira": counts,
            },
        },
    )
    if found and found.address:
        terminal.tell(say("The server runs: {address} (process {pid})", address=found.address, pid=str(found.pid)))
    else:
        terminal.tell(say("The server does not run. Start it: {command}", command=terminal.command("baslat")))
    for account in accounts:
        line = say(LINES[account.line.state]) if is_live else say("Not connected")
        terminal.tell(f"  {account.id}  {account.name} ({account.kind})  {line}")
    queue = "  ".join(f"{say(STATUSES[status])}: {count}" for status, count in counts.items())
    terminal.tell(say("Queue: {queue}", queue=queue))


async def _one(terminal: Terminal, config: "Config", log_id: int) -> None:
    async with gateway(terminal, config, Permission.READ) as gate:
        answer = await gate.ask("GET", f"/gonderimler/{log_id}")
    terminal.show(answer)
    for line in story(terminal.say, answer["data"]):
        terminal.tell(line)


def story(say: Translator, message: Mapping[str, Any]) -> list[str]:
    """Answer one message as lines: what it is, where it stands, what happened."""
    status = message["durum"]
    title = say("Record {log_id}: {status}", log_id=str(message["id"]), status=say(STATUSES[status]))
    facts = [
        (say("To"), " ".join(filter(None, (message["alici"], message["isim"])))),
        (say("Text"), _first_words(message["mesaj"], message["dosya_adi"])),
        (say("Why"), why(say, message["neden"])),
        (say("Reference"), message["referans"] or ""),
        (say("WhatsApp's id"), message["message_id"] or ""),
    ]
    times = [
        (say("Accepted"), message["kayit_zamani"]),
        (say("Planned for"), message["planlanan_zaman"]),
        (say("Sent"), message["gonderim_zamani"]),
        (say("Delivered"), message["iletim_zamani"]),
        (say("Read"), message["okunma_zamani"]),
    ]
    shown = [*((name, value) for name, value in facts if value), *((name, clock_time(at)) for name, at in times if at)]
    width = max(len(name) for name, _ in shown)
    return [title, *(f"  {name.ljust(width)}  {value}" for name, value in shown)]


def why(say: Translator, reason: str | None) -> str:
    """Answer a record's `neden` in words."""
    from guvercin.locale.codes import WORDS

    if reason is None:
        return ""
    if reason in set(WaitsFor):
        return say(WAITS[WaitsFor(reason)])
    return say(WORDS[Code(reason)].title) if reason in set(Code) else reason


async def _list(terminal: Terminal, config: "Config", query: Mapping[str, Any], limit: int) -> None:
    say = terminal.say
    async with gateway(terminal, config, Permission.READ) as gate:
        rows = [row async for row in _records(gate, query, limit)]
    terminal.show({"ok": True, "data": rows})
    if not rows:
        terminal.tell(say("No message yet.") if not any(query.values()) else say("No message with this filter."))
        return
    heads = (say("No"), say("Time"), say("To"), say("State"), say("Text"))
    terminal.table(
        heads,
        [
            (
                str(row["id"]),
                clock_time(row["kayit_zamani"]),
                row["alici"],
                _standing(say, row),
                _first_words(row["mesaj"], row["dosya_adi"]),
            )
            for row in rows
        ],
    )


def _standing(say: Translator, row: Mapping[str, Any]) -> str:
    status, reason = row["durum"], row["neden"]
    word = say(STATUSES[status])
    return f"{word} ({why(say, reason)})" if reason else word


async def _records(gate: Gate, query: Mapping[str, Any], limit: int | None) -> AsyncIterator[dict[str, Any]]:
    """Page through the log, newest first."""
    cursor: str | None = None
    left = limit
    while left is None or left > 0:
        page = await gate.ask(
            "GET", "/gonderimler", query={**query, "limit": min(left or _PAGE, _PAGE), "sonra": cursor}
        )
        for row in page["data"]:
            yield row
        left = None if left is None else left - len(page["data"])
        cursor = page["sonraki"]
        if cursor is None:
            return


async def _decide(terminal: Terminal, config: "Config", log_id: int | None, verb: str, *, every: bool) -> None:
    say = terminal.say
    if (log_id is None) is not every:
        raise Trouble(say("Name one record, or say --hepsi for all that are held back."), code=ExitCode.USAGE)
    async with gateway(terminal, config, Permission.SEND, Permission.READ) as gate:
        ids = [log_id] if log_id is not None else await _held(gate)
        done = [await gate.ask("POST", f"/gonderimler/{each}/{verb}") for each in ids]
    terminal.show({"ok": True, "adet": len(done), "data": done})
    if verb == "birak":
        terminal.tell(say("Back in line: {count}", count=len(done)))
        if done and not gate.is_live:
            terminal.tell(say("They go out when the server runs: guvercin baslat"))
    else:
        terminal.tell(say("Cancelled: {count}", count=len(done)))


async def _held(gate: Gate) -> list[int]:
    rows = [row async for row in _records(gate, {"durum": "queued"}, None)]
    return [row["id"] for row in rows if row["neden"] in HELD]


def _first_words(text: str | None, file_name: str | None) -> str:
    words = " ".join((text or "").split())
    if len(words) > _WORDS:
        words = words[: _WORDS - 1] + "…"
    return " ".join(filter(None, (f"[{file_name}]" if file_name else "", words)))
