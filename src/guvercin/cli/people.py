"""`kurulum-linki`, `parola-sifirla`, `kullanici …`: who signs in to the panel, beside a live server or without one.

Laws
1. Whoever may write in the data folder may let anybody in: nobody is asked for an old password here.
2. A password is typed, never an argument: a command line stands in the shell's history and in the list of processes.
"""

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import database, holder, settings
from guvercin.cli.terminal import Terminal, Trouble
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.folding import fold
from guvercin.core.person import Person, Role
from guvercin.locale import sentence

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config
    from guvercin.gateway.people import People

T = TypeVar("T")

_Name = Annotated[str, typer.Argument(metavar="AD", help=sentence("The name that the person signs in with."))]
_Role = Annotated[
    Role, typer.Option("--rol", help=sentence("yonetici may do everything; izleyici looks, and sees numbers masked."))
]


def setup_link(context: typer.Context) -> None:
    """Print the one-time link by which the first person is added."""
    terminal = Terminal.of(context)
    config = settings(terminal)
    link = asyncio.run(make_link(terminal, config))
    if link is None:
        raise Trouble(
            terminal.say("The panel is set up already."),
            terminal.say("Somebody forgot the password? {command}", command=terminal.command("parola-sifirla")),
        )
    terminal.tell(link)
    terminal.note(terminal.say("It works once, within 30 minutes."))


async def make_link(terminal: Terminal, config: "Config") -> str | None:
    """Make a new set-up link, and end any earlier one; null once the panel is set up."""
    async with _people(terminal, config) as people:
        try:
            code = await people.make_setup_code()
        except GuvercinError as refusal:
            if refusal.code is Code.NOT_FOUND:
                return None
            raise
        live = holder(config.lock)
        address = live.address if live and live.address else config.address
        return f"{address}/kurulum?k={code}"


def list_all(context: typer.Context, *, as_json: Json = False) -> None:
    """List those who may sign in."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    people = _run(terminal, lambda people: people.every())
    terminal.show({"ok": True, "data": [{"id": each.id, "ad": each.name, "rol": each.role.value} for each in people]})
    if not people:
        terminal.tell(say("Nobody yet. Set the panel up: {command}", command=terminal.command("kurulum-linki")))
        return
    terminal.table((say("No"), say("Name"), say("Role")), [(str(each.id), each.name, each.role) for each in people])


def add(context: typer.Context, name: _Name, *, role: _Role = Role.VIEWER) -> None:
    """Add a person and ask for their password."""
    terminal = Terminal.of(context)

    async def work(people: "People") -> Person:
        if not await people.every():
            raise Trouble(
                terminal.say("The panel isn't set up yet."),
                terminal.say(
                    "The first person comes by the link: {command}", command=terminal.command("kurulum-linki")
                ),
            )
        return await people.add(name, role, _ask_password(terminal))

    made = _run(terminal, work)
    terminal.tell(terminal.say("{name} may sign in as {role}.", name=made.name, role=made.role.value))


def change_role(context: typer.Context, name: _Name, *, role: _Role) -> None:
    """Change what a person may do."""
    terminal = Terminal.of(context)

    async def work(people: "People") -> Person:
        return await people.set_role((await _one(terminal, people, name)).id, role)

    changed = _run(terminal, work)
    terminal.tell(terminal.say("{name} may sign in as {role}.", name=changed.name, role=changed.role.value))


def remove(context: typer.Context, name: _Name) -> None:
    """Let a person sign in no more."""
    terminal = Terminal.of(context)

    async def work(people: "People") -> None:
        await people.remove((await _one(terminal, people, name)).id)

    _run(terminal, work)
    terminal.tell(terminal.say("{name} can't sign in any more; what they sent stays in the log.", name=name))


def reset_password(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="AD", help=sentence("Whose; not needed while there is one person."))
    ] = None,
) -> None:
    """Ask for a new password, and sign the person out everywhere."""
    terminal = Terminal.of(context)

    async def work(people: "People") -> None:
        person = await _one(terminal, people, name)
        await people.set_password(person.id, _ask_password(terminal))

    _run(terminal, work)
    terminal.tell(terminal.say("The password is changed. Sign in again where you were signed in."))


def _run(terminal: Terminal, work: "Callable[[People], Awaitable[T]]") -> T:
    config = settings(terminal)

    async def run() -> T:
        async with _people(terminal, config) as people:
            return await work(people)

    try:
        return asyncio.run(run())
    except GuvercinError as refusal:
        if not refusal.faults:
            raise
        from guvercin.locale.faults import fault_sentence

        raise Trouble(fault_sentence(terminal.say, refusal.faults[0])) from refusal


@asynccontextmanager
async def _people(terminal: Terminal, config: "Config") -> AsyncIterator["People"]:
    from guvercin.gateway.chance import SystemChance
    from guvercin.gateway.clock import SystemClock
    from guvercin.gateway.people import People

    async with database(terminal, config) as store:
        yield People(store=store, clock=SystemClock(), rng=SystemChance())


async def _one(terminal: Terminal, people: "People", name: str | None) -> Person:
    say = terminal.say
    every = await people.every()
    if name is None and len(every) == 1:
        return every[0]
    for person in every:
        if name is not None and fold(person.name) == fold(name):
            return person
    raise Trouble(
        say("There is nobody of this name.") if name else say("Say whose it is."),
        say("These may sign in: {names}", names=", ".join(person.name for person in every) or "–"),
    )


def _ask_password(terminal: Terminal) -> str:
    """Ask twice where somebody types; read one line where a program writes."""
    from guvercin.gateway.people import check_password

    say = terminal.say
    if not sys.stdin.isatty():
        typed = sys.stdin.readline().rstrip("\r\n")
    else:
        typed = getpass.getpass(say("New password:") + " ")
        if getpass.getpass(say("Once more:") + " ") != typed:
            raise Trouble(say("The two are not the same."))
    check_password(typed)
    return typed
