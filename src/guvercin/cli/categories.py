"""`tur …`: the categories of messages, and what their owner decides about them."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import gateway, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble
from guvercin.core.token import Permission
from guvercin.locale import Translator, sentence
from guvercin.locale.terms import CATEGORIES, URGENCIES

CategoryId = Annotated[
    int, typer.Argument(metavar="NO", help=sentence("The number of the category: 1 to 10, or your own from 11 to 99."))
]


def list_all(context: typer.Context, *, as_json: Json = False) -> None:
    """List the categories."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "GET", "", Permission.READ)
    terminal.show(answer)
    say = terminal.say
    heads = (
        say("No"),
        say("Code"),
        say("Name"),
        say("Commercial"),
        say("Quiet hours"),
        say("Lifetime"),
        say("Urgency"),
    )
    rows = [
        (
            str(each["id"]),
            each["kod"],
            _name(say, each),
            say("yes") if each["ticari"] else "",
            say("yes") if each["sessiz_saat"] else "",
            _hours(say, each["gecerlilik_dk"]),
            _urgency(say, each),
        )
        for each in answer["data"]
    ]
    terminal.table(heads, rows)


def change(
    context: typer.Context,
    *,
    category_id: CategoryId,
    name: Annotated[str | None, typer.Option("--ad", metavar="X", help=sentence("What people call it."))] = None,
    code: Annotated[
        str | None,
        typer.Option("--kod", metavar="X", help=sentence("A short word for it; made from the name if it isn't given.")),
    ] = None,
    is_commercial: Annotated[
        bool | None,
        typer.Option(
            "--ticari/--ticari-degil",
            help=sentence("Whether it advertises: such messages go only to people who have consented."),
        ),
    ] = None,
    keeps_quiet_hours: Annotated[
        bool | None,
        typer.Option("--sessiz-saat/--her-saat", help=sentence("Whether it waits for the quiet hours' end.")),
    ] = None,
    lifetime: Annotated[
        int | None,
        typer.Option("--gecerlilik", metavar="DK", help=sentence("Give up if it can't leave within these minutes.")),
    ] = None,
    level: Annotated[
        str | None,
        typer.Option("--oncelik", metavar="X", help=sentence("How urgent it is: en_dusuk, dusuk, normal, yuksek")),
    ] = None,
    as_json: Json = False,
) -> None:
    """Define a category of your own, or change how one is sent."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    if level is not None and level not in URGENCIES:
        raise Trouble(
            say("{option} can't be «{value}».", option="--oncelik", value=level),
            say("Write one of these: {names}", names=", ".join(URGENCIES)),
            code=ExitCode.USAGE,
        )
    asked = {
        "ad": name,
        "kod": code,
        "ticari": is_commercial,
        "sessiz_saat": keeps_quiet_hours,
        "gecerlilik_dk": lifetime,
        "oncelik": level,
    }
    body = {key: value for key, value in asked.items() if value is not None}
    if not body:
        raise Trouble(
            say("Nothing to change was named."),
            say("See how it is written: {command}", command="guvercin tur degistir --help"),
            code=ExitCode.USAGE,
        )
    answer = _ask(terminal, "PUT", f"/{category_id}", Permission.ADMIN, body)
    terminal.show(answer)
    terminal.tell(say("Changed: «{name}».", name=_name(say, answer["data"])))


def drop(context: typer.Context, *, category_id: CategoryId, as_json: Json = False) -> None:
    """Forget a category of your own, or what you changed of another."""
    terminal = Terminal.of(context, as_json=as_json)
    answer = _ask(terminal, "DELETE", f"/{category_id}", Permission.ADMIN)
    terminal.show(answer)
    terminal.tell(terminal.say("Forgotten: category {id}. Sent messages keep it.", id=str(category_id)))


def _ask(
    terminal: Terminal, method: str, path: str, permission: Permission, body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with gateway(terminal, settings(terminal), permission) as gate:
            return await gate.ask(method, f"/turler{path}", body=body)

    return asyncio.run(ask())


def _name(say: Translator, category: Mapping[str, Any]) -> str:
    name = CATEGORIES.get(category["id"])
    return str(category["ad"]) if name is None else say(name)


def _urgency(say: Translator, category: Mapping[str, Any]) -> str:
    word = URGENCIES[category["oncelik"]]
    return say(word)


def _hours(say: Translator, minutes: int) -> str:
    return say("{count} h", count=minutes // 60) if minutes % 60 == 0 else say("{count} min", count=minutes)
