"""`deneme-graph`: a fake of Meta's server, to try a cloud account without Meta."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from guvercin.cli.terminal import Terminal
from guvercin.locale import sentence

if TYPE_CHECKING:
    from guvercin.testing.graph import FakeGraph

NUMBER_ID, BUSINESS_ID, PHONE = "100000000000001", "900000000000001", "+90 850 000 00 01"
TOKEN, APP_SECRET, VERIFY_TOKEN = "deneme-erisim-anahtari", "deneme-uygulama-sirri", "deneme-sozu"
TEMPLATES = {("fatura_hazir", "tr"), ("bakiye_hatirlatma", "tr")}


def run(
    context: typer.Context,
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help=sentence("The port to listen on."))] = 9_080,
    webhook: Annotated[
        str | None,
        typer.Option(
            "--webhook",
            metavar="ADRES",
            help=sentence("Where statuses are told: http://127.0.0.1:8080/meta/webhook/NO"),
        ),
    ] = None,
    writer: Annotated[
        str | None,
        typer.Option("--yazan", metavar="TELEFON", help=sentence("Let this number write to you first: +905321234567")),
    ] = None,
    delay: Annotated[float, typer.Option("--gecikme", min=0, help=sentence("Seconds that every send takes."))] = 0.1,
    batch: Annotated[int, typer.Option("--grup", min=1, help=sentence("Statuses in one webhook, at most."))] = 1,
    duplicates: Annotated[
        int, typer.Option("--tekrar", min=0, help=sentence("How often each status comes again."))
    ] = 0,
    shuffle: Annotated[bool, typer.Option("--karisik", help=sentence("Tell statuses in any order."))] = False,
    limits: Annotated[bool, typer.Option("--sinir/--sinirsiz", help=sentence("Keep Meta's limits, or none."))] = True,
) -> None:
    """Run a fake of Meta's server on this machine. It sends nothing to anybody."""
    from random import SystemRandom  # noqa: TID251 -- a fake's own chance; nothing of ours depends on it

    from guvercin.gateway.clock import SystemClock
    from guvercin.testing.graph import FakeGraph, Habits, story_of

    terminal = Terminal.of(context)
    graph = FakeGraph(
        clock=SystemClock(),
        rng=SystemRandom(),
        app_secret=APP_SECRET,
        script=story_of(),
        has_limits=limits,
        delay=delay,
        remembers=False,
    )
    graph.callbacks.habits = Habits(step=0.5, batch=batch, duplicates=duplicates, shuffle=shuffle)
    number = graph.add_number(NUMBER_ID, PHONE, TOKEN, templates=TEMPLATES)
    if not limits:
        number.level, number.tier = "HIGH", "TIER_UNLIMITED"
    if webhook is not None:
        graph.callbacks.urls[NUMBER_ID] = webhook
    asyncio.run(_serve(terminal, graph, port, writer))


async def _serve(terminal: Terminal, graph: "FakeGraph", port: int, writer: str | None) -> None:
    address = await graph.start(port)
    say = terminal.say
    terminal.tell(say("A fake of Meta's server listens at {address}. It sends nothing to anybody.", address=address))
    terminal.tell(say("Start the server with it: {command}", command=f"GUVERCIN_GRAPH_URL={address} guvercin baslat"))
    secrets = (
        f"GUVERCIN_META_TOKEN={TOKEN} GUVERCIN_META_APP_SECRET={APP_SECRET} GUVERCIN_META_VERIFY_TOKEN={VERIFY_TOKEN}"
    )
    add = f"guvercin hesap ekle Bulut --tur cloud --numara-id {NUMBER_ID} --isletme-id {BUSINESS_ID}"
    terminal.tell(say("Add an account: {command}", command=f"{secrets} {add}"))
    terminal.tell(say("Statuses go to the address given with --webhook. Ctrl-C ends it."))
    if writer is not None:
        graph.write_to(NUMBER_ID, "".join(filter(str.isdecimal, writer)), "Merhaba")
    try:
        await asyncio.Event().wait()
    finally:
        await graph.stop()
