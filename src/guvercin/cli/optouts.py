"""`ret …`: the people who want no messages, and those whose words a person has to judge."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, clock_time
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence

Phone = Annotated[
    str, typer.Argument(metavar="TELEFON", help=sentence("The person's number, as you would write it: 0532 123 45 67"))
]
Scope = Annotated[
    str | None,
    typer.Option(
        "--kapsam", metavar="X", help=sentence("What it covers: her_sey, ticari (advertising), yanlis_numara (debts).")
    ),
]
Account = Annotated[
    int | None, typer.Option("--hesap", metavar="NO", help=sentence("Of this account alone; all of them if not given."))
]

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "her_sey": sentence("Everything"),
        "ticari": sentence("Advertising"),
        "yanlis_numara": sentence("Wrong number"),
        "bakilacak": sentence("To be looked at"),
    },
)
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "mesaj": sentence("Wrote it"),
        "panel": sentence("Entered by hand"),
        "api": sentence("From a program"),
        "iys": sentence("From İYS"),
    },
)
MEANINGS = ("ret", "yanlis_numara", "devam")


def list_all(
    context: typer.Context,
    *,
    phone: Annotated[str | None, typer.Option("--telefon", metavar="X", help=sentence("Of this person alone."))] = None,
    which: Annotated[
        str, typer.Option("--hangisi", metavar="X", help=sentence("Which ones: gecerli, bitti, hepsi"))
    ] = "gecerli",
    count: Annotated[int, typer.Option("--son", metavar="N", help=sentence("How many at most."))] = 50,
    as_json: Json = False,
) -> None:
    """List the people who want no messages."""
    terminal = Terminal.of(context, as_json=as_json)
    query = {"telefon": phone, "hangisi": which, "limit": min(max(count, 1), 200)}
    answer = _ask(terminal, "GET", "/ret-listesi", Permission.READ, query=query)
    terminal.show(answer)
    show(terminal, answer["data"])


def add(
    context: typer.Context,
    *,
    phone: Phone,
    scope: Scope = None,
    account: Account = None,
    said: Annotated[
        str | None, typer.Option("--not", metavar="X", help=sentence("What the person said, for the record."))
    ] = None,
    is_from_iys: Annotated[bool, typer.Option("--iys", help=sentence("It comes from İYS."))] = False,
    as_json: Json = False,
) -> None:
    """Put somebody on the list of those who want no messages."""
    terminal = Terminal.of(context, as_json=as_json)
    asked = {
        "telefon": phone,
        "kapsam": _scope(terminal.say, scope),
        "hesap_id": account,
        "yazdigi": said,
        "kaynak": "iys" if is_from_iys else "panel",
    }
    body = {key: value for key, value in asked.items() if value is not None}
    answer = _ask(terminal, "POST", "/ret-listesi", Permission.ADMIN, body=body)
    terminal.show(answer)
    say = terminal.say
    kept = answer["data"]
    word = SCOPES[kept["kapsam"]]
    terminal.tell(
        say("Kept: {phone} ({scope}). What waited for them has failed.", phone=kept["telefon"], scope=say(word))
    )


def remove(
    context: typer.Context,
    *,
    phone: Phone,
    scope: Scope = None,
    account: Account = None,
    why: Annotated[str | None, typer.Option("--neden", metavar="X", help=sentence("Why, for the record."))] = None,
    as_json: Json = False,
) -> None:
    """End somebody's refusal, because it was a slip or they want messages again."""
    terminal = Terminal.of(context, as_json=as_json)
    query = {
        "telefon": phone,
        "hesap_id": account,
        "kapsam": _scope(terminal.say, scope),
        "kaynak": "panel",
        "neden": why,
    }
    answer = _ask(terminal, "DELETE", "/ret-listesi", Permission.ADMIN, query=query)
    terminal.show(answer)
    terminal.tell(terminal.say("Refusals ended: {count}", count=answer["adet"]))


def list_doubtful(context: typer.Context, *, as_json: Json = False) -> None:
    """List messages that sound like a refusal; bulk to these people waits for you."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "GET", "/bakilacaklar", Permission.READ)
    terminal.show(answer)
    show(terminal, answer["data"])
    if answer["data"]:
        terminal.tell(
            terminal.say("Decide: {command}", command=terminal.command("ret karar NO ret|yanlis_numara|devam"))
        )


def decide(
    context: typer.Context,
    *,
    number: Annotated[int, typer.Argument(metavar="NO", help=sentence("Its number in the list (ret bakilacak)."))],
    meaning: Annotated[
        str,
        typer.Argument(metavar="KARAR", help=sentence("What they meant: ret, yanlis_numara, devam (no refusal)")),
    ],
    as_json: Json = False,
) -> None:
    """Say what somebody meant."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    if meaning not in MEANINGS:
        raise Trouble(
            say("{option} can't be «{value}».", option="KARAR", value=meaning),
            say("Write one of these: {names}", names=", ".join(MEANINGS)),
            code=ExitCode.USAGE,
        )
    body = {"karar": meaning, "kaynak": "panel"}
    answer = _ask(terminal, "POST", f"/bakilacaklar/{number}/karar", Permission.ADMIN, body=body)
    terminal.show(answer)
    if meaning == "devam":
        terminal.tell(say("{phone}: no refusal. What waited goes on.", phone=answer["data"]["telefon"]))
    else:
        word = SCOPES[answer["data"]["kapsam"]]
        terminal.tell(say("{phone}: {scope}.", phone=answer["data"]["telefon"], scope=say(word)))


def show(terminal: Terminal, refusals: list[dict[str, Any]]) -> None:
    """Show refusals as a table."""
    say = terminal.say
    heads = (say("No"), say("Number"), say("Covers"), say("How it came"), say("Account"), say("Since"), say("Said"))
    rows = []
    for each in refusals:
        scope, source = SCOPES[each["kapsam"]], SOURCES[each["kaynak"]]
        rows.append(
            (
                str(each["id"]),
                each["telefon"],
                say(scope),
                say(source),
                say("all") if each["hesap_id"] is None else str(each["hesap_id"]),
                clock_time(each["kayit_zamani_iso"]),
                each["yazdigi"] or "–",
            )
        )
    terminal.table(heads, rows)


def _scope(say: Translator, written: str | None) -> str | None:
    known = [scope for scope in SCOPES if scope != "bakilacak"]
    if written is not None and written not in known:
        raise Trouble(
            say("{option} can't be «{value}».", option="--kapsam", value=written),
            say("Write one of these: {names}", names=", ".join(known)),
            code=ExitCode.USAGE,
        )
    return written


def _ask(terminal: Terminal, method: str, path: str, permission: Permission, **sent: Any) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with gateway(terminal, settings(terminal), permission) as gate:
            return await gate.ask(method, path, **sent)

    return asyncio.run(ask())
