"""`webhook …`: the addresses that hear what happened."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, clock_time
from guvercin.core.call import CallTrouble
from guvercin.core.hook import CloseReason, DeliveryState, HookEvent, HookState
from guvercin.core.token import Permission
from guvercin.locale import sentence
from guvercin.locale.terms import CALLS, CLOSINGS, DELIVERIES, HOOKS

ROOT = "/api/v1/webhooks"
EVERYTHING = ",".join(HookEvent)

HookId = Annotated[int, typer.Argument(metavar="NO", help=sentence("The number of the webhook (webhook liste)."))]
Events = Annotated[
    str,
    typer.Option(
        "--olay", metavar="A,B", help=sentence("What it hears, with commas: `mesaj.iletildi,mesaj.basarisiz`")
    ),
]
Accounts = Annotated[
    str, typer.Option("--hesap", metavar="1,2", help=sentence("The accounts that it hears of; all if not given."))
]


def add(
    context: typer.Context,
    *,
    url: Annotated[str, typer.Argument(metavar="ADRES", help=sentence("Where to: https://shop.example/webhook"))],
    events: Events = EVERYTHING,
    accounts: Accounts = "",
    as_json: Json = False,
) -> None:
    """Add an address and show its secret, once."""
    terminal = Terminal.of(context, as_json=as_json)
    asked = {"url": url, "olaylar": _events(terminal, events), "hesaplar": _accounts(terminal, accounts)}
    answer = _ask(terminal, "POST", "", {name: value for name, value in asked.items() if value is not None})
    terminal.show(answer)
    hook = answer["data"]
    terminal.tell(hook["secret"])
    if not as_json:
        say = terminal.say
        terminal.note(say("Its secret. Copy it now: it is not shown again. Number {id}.", id=str(hook["id"])))
        terminal.note(say("Try it out: {command}", command=terminal.command(f"webhook dene {hook['id']}")))


def list_all(context: typer.Context, *, as_json: Json = False) -> None:
    """List the addresses."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "GET", "")
    terminal.show(answer)
    say = terminal.say
    if not answer["data"]:
        terminal.tell(say("There is no webhook yet. Add one: guvercin webhook ekle https://…"))
        return
    heads = (say("No"), say("Address"), say("State"), say("Last delivered"), say("Hears"))
    terminal.table(heads, [_row(terminal, hook) for hook in answer["data"]])


def change(
    context: typer.Context,
    *,
    hook_id: HookId,
    url: Annotated[str | None, typer.Option("--adres", metavar="X", help=sentence("A new address."))] = None,
    events: Events = "",
    accounts: Accounts = "",
    as_json: Json = False,
) -> None:
    """Change an address or what it hears."""
    terminal = Terminal.of(context, as_json=as_json)
    asked = {
        "url": url,
        "olaylar": _events(terminal, events) if events else None,
        "hesaplar": _accounts(terminal, accounts),
    }
    body = {name: value for name, value in asked.items() if value is not None}
    if not body:
        say = terminal.say
        raise Trouble(
            say("Nothing to change was named."),
            say("See how it is written: {command}", command="guvercin webhook degistir --help"),
            code=ExitCode.USAGE,
        )
    _tell_changed(terminal, _ask(terminal, "PATCH", f"/{hook_id}", body))


def close(context: typer.Context, *, hook_id: HookId, as_json: Json = False) -> None:
    """Deliver nothing more to an address."""
    terminal = Terminal.of(context, as_json=as_json)
    _tell_changed(terminal, _ask(terminal, "PATCH", f"/{hook_id}", {"durum": "kapali"}))


def reopen(context: typer.Context, *, hook_id: HookId, as_json: Json = False) -> None:
    """Let an address go on where it stopped."""
    terminal = Terminal.of(context, as_json=as_json)
    _tell_changed(terminal, _ask(terminal, "PATCH", f"/{hook_id}", {"durum": "aktif"}))


def remove(
    context: typer.Context,
    *,
    hook_id: HookId,
    is_sure: Annotated[bool, typer.Option("--evet", help=sentence("Don't ask."))] = False,
    as_json: Json = False,
) -> None:
    """Remove an address."""
    terminal = Terminal.of(context, as_json=as_json)
    if not is_sure:
        terminal.ask_first(
            terminal.say("Remove webhook {id}? What it has not heard yet is forgotten.", id=str(hook_id))
        )
    answer = _ask(terminal, "DELETE", f"/{hook_id}")
    terminal.show(answer)
    terminal.tell(answer["message"])


def renew(context: typer.Context, *, hook_id: HookId, as_json: Json = False) -> None:
    """Renew an address's secret and show it, once."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "POST", f"/{hook_id}/secret", {})
    terminal.show(answer)
    terminal.tell(answer["data"]["secret"])
    if not as_json:
        terminal.note(terminal.say("Copy it now: it is not shown again. For a day the one before signs too."))


def try_out(context: typer.Context, *, hook_id: HookId, as_json: Json = False) -> None:
    """Post a trial to an address and show what came back."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "POST", f"/{hook_id}/dene")
    terminal.show(answer)
    tried, say = answer["data"], terminal.say
    http = "–" if tried["http"] is None else str(tried["http"])
    terminal.tell(say("HTTP {status} after {ms} ms", status=http, ms=tried["sure_ms"]))
    if tried["gelen"]:
        terminal.tell(tried["gelen"])
    if not tried["kabul"]:
        raise Trouble(
            tried["mesaj"], say("Mend it, then try again. A 2xx within 15 seconds is what counts."), body=answer
        )
    terminal.tell(say("Taken."))


def deliveries(
    context: typer.Context,
    *,
    hook_id: HookId,
    limit: Annotated[int, typer.Option("--adet", metavar="N", help=sentence("How many (at most 200)."))] = 20,
    as_json: Json = False,
) -> None:
    """List what an address has heard."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "GET", f"/{hook_id}/bildirimler", query={"limit": limit})
    terminal.show(answer)
    say = terminal.say
    heads = (say("No"), say("Time"), say("Event"), say("Record"), say("State"), say("Tries"), say("Last answer"))
    rows = [
        (
            str(each["id"]),
            clock_time(each["zaman"]),
            each["olay"],
            str(each["log_id"] or "–"),
            say(DELIVERIES[DeliveryState(each["durum"])]),
            str(each["deneme_sayisi"]),
            str(each["http"] or (say(CALLS[CallTrouble(each["neden"])]) if each["neden"] else "")),
        )
        for each in answer["data"]
    ]
    terminal.table(heads, rows)


def replay(
    context: typer.Context,
    *,
    hook_id: HookId,
    event_id: Annotated[
        int | None, typer.Argument(metavar="[OLAY]", help=sentence("The number of the event (webhook bildirimler)."))
    ] = None,
    since: Annotated[
        str | None, typer.Option("--bu-yana", metavar="ZAMAN", help=sentence("Everything since: 2026-02-23 14:30"))
    ] = None,
    as_json: Json = False,
) -> None:
    """Deliver one event once more, or everything since a moment."""
    terminal = Terminal.of(context, as_json=as_json)
    if (event_id is None) is (since is None):
        say = terminal.say
        raise Trouble(
            say("Name one event, or a moment."),
            say("See how it is written: {command}", command="guvercin webhook yeniden --help"),
            code=ExitCode.USAGE,
        )
    if since is None:
        answer = _ask(terminal, "POST", f"/{hook_id}/bildirimler/{event_id}/yeniden")
    else:
        answer = _ask(terminal, "POST", f"/{hook_id}/yeniden", {"baslangic": since})
    terminal.show(answer)
    terminal.tell(answer["message"])


def _row(terminal: Terminal, hook: Mapping[str, Any]) -> tuple[str, ...]:
    say = terminal.say
    state = say(HOOKS[HookState(hook["durum"])])
    if hook["neden"]:
        state = f"{state}: {say(CLOSINGS[CloseReason(hook['neden'])])}"
    hears = say("everything") if len(hook["olaylar"]) == len(HookEvent) else ",".join(hook["olaylar"])
    return (str(hook["id"]), hook["url"], state, clock_time(hook["son_iletim"]), hears)


def _tell_changed(terminal: Terminal, answer: Mapping[str, Any]) -> None:
    terminal.show(answer)
    hook = answer["data"]
    state = terminal.say(HOOKS[HookState(hook["durum"])])
    terminal.tell(terminal.say("Webhook {id}: {state}", id=str(hook["id"]), state=state))


def _events(terminal: Terminal, written: str) -> list[str]:
    words = [word.strip() for word in written.split(",") if word.strip()]
    if not words or not set(words) <= set(HookEvent):
        raise _misread(
            terminal, "--olay", written, terminal.say("Write some of these: {names}", names=", ".join(HookEvent))
        )
    return words


def _accounts(terminal: Terminal, written: str) -> list[int] | None:
    try:
        return [int(part) for part in written.split(",")] if written else None
    except ValueError:
        remedy = terminal.say("Write numbers of accounts, with commas: 1,2")
        raise _misread(terminal, "--hesap", written, remedy) from None


def _misread(terminal: Terminal, option: str, written: str, remedy: str) -> Trouble:
    return Trouble(
        terminal.say("{option} can't be «{value}».", option=option, value=written), remedy, code=ExitCode.USAGE
    )


def _ask(
    terminal: Terminal,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with gateway(terminal, settings(terminal), Permission.ADMIN) as gate:
            return await gate.ask(method, path, body=body, query=query, root=ROOT)

    return asyncio.run(ask())
