"""`uyari …`: what the owner has to know soon, and the channels that carry it."""

import asyncio
from typing import TYPE_CHECKING

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import database, settings
from guvercin.cli.terminal import TURKISH_TIME, ExitCode, Terminal, Trouble
from guvercin.core.alert import Alert
from guvercin.locale.alerts import sentences

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from collections.abc import Sequence

    from guvercin.config import Config


def listing(context: typer.Context, *, as_json: Json = False) -> None:
    """List what is the matter now."""
    if context.invoked_subcommand is not None:
        return
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    alerts = [alert for alert in asyncio.run(_read(terminal, config)) if alert.told_at is not None]
    told = [
        {
            "tur": alert.trouble.kind.value,
            "anahtar": alert.trouble.key,
            **alert.trouble.about,
            "beri": alert.since.isoformat(),
        }
        for alert in alerts
    ]
    terminal.show({"ok": True, "data": told})
    if not alerts:
        terminal.tell(terminal.say("All is well."))
    for alert, each in zip(alerts, told, strict=True):
        what, remedy = sentences(terminal.say, each)
        at = alert.since.astimezone(config.timezone).strftime(TURKISH_TIME)
        terminal.tell(f"{at}  {what}\n{'':18}{remedy}")


def try_out(context: typer.Context, *, as_json: Json = False) -> None:
    """Send a trial over every channel and say what came of it."""
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    say = terminal.say
    results = asyncio.run(_try(config))
    if not results:
        raise Trouble(
            say("No channel is set up: alerts go to webhooks and to the log alone."),
            say("Set GUVERCIN_ALERT_NTFY, or GUVERCIN_ALERT_EMAIL and GUVERCIN_SMTP_HOST."),
        )
    failed = {name: trouble for name, trouble in results.items() if trouble is not None}
    terminal.show({"ok": not failed, "data": results})
    for name, trouble in results.items():
        terminal.tell(f"{name}: {say('Sent') if trouble is None else trouble}")
    if failed:
        raise Trouble(
            say("Not every channel took it: {names}", names=", ".join(failed)),
            say("Check the settings of that channel and this machine's way to it."),
            code=ExitCode.PARTLY if len(failed) < len(results) else ExitCode.FAILED,
            body={"ok": False, "data": results},
        )


async def _read(terminal: Terminal, config: "Config") -> "Sequence[Alert]":
    async with database(terminal, config) as store:
        return await store.alerts()


async def _try(config: "Config") -> dict[str, str | None]:
    """Answer what became of each channel: null, or its trouble in a few words."""
    from guvercin.gateway.clock import SystemClock
    from guvercin.main.parts import channels

    results: dict[str, str | None] = {}
    for channel in channels(config, SystemClock()):
        try:
            await channel.carry(())
            results[channel.name] = None
        except (OSError, ValueError) as trouble:
            results[channel.name] = f"{type(trouble).__name__}: {trouble}"
        await channel.close()
    return results
