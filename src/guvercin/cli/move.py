"""`tasi`: a shop's data from its file into PostgreSQL, once and for good."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from guvercin.cli.backup import alone
from guvercin.cli.options import Json
from guvercin.cli.reach import settings
from guvercin.cli.terminal import Terminal, Trouble
from guvercin.gateway.clock import SystemClock

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config

_WITH_DATABASE = ("", "-wal", "-shm")


def move(context: typer.Context, *, as_json: Json = False) -> None:
    """Copy the data folder's database into the PostgreSQL that GUVERCIN_DATABASE_URL names."""
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    say = terminal.say
    if config.postgres is None:
        raise Trouble(
            say("There is nowhere to move to: GUVERCIN_DATABASE_URL names no PostgreSQL."),
            say("Write postgresql://USER:PASSWORD@HOST/DATABASE, of an empty database."),
        )
    if not config.database.exists():
        raise Trouble(
            say("There is nothing to move: {folder} has no database.", folder=str(config.data_dir)),
            say("Name the data folder: --veri FOLDER"),
        )
    aside = config.database.with_name(f"guvercin-tasindi-{SystemClock().now():%Y%m%dT%H%M%S}.db")
    with alone(terminal, config):
        counts = _moved(terminal, config, aside)
    terminal.show({"ok": True, "satirlar": dict(counts), "eski": str(aside)})
    terminal.tell(say("Moved: {count} rows, counted in both.", count=sum(counts.values())))
    terminal.tell(say("The old file stands aside, and is used no more: {file}", file=str(aside)))
    terminal.tell(
        say("Start again, with the same GUVERCIN_DATABASE_URL: {command}", command=terminal.command("baslat"))
    )


def _moved(terminal: Terminal, config: "Config", aside: Path) -> Mapping[str, int]:
    """Copy it, in words where that can't be done."""
    from guvercin.main.databases import move_data
    from guvercin.store.moving import Miscounted, NotEmpty

    say = terminal.say

    def put_aside() -> Callable[[], None]:
        pairs = [(Path(f"{config.database}{end}"), Path(f"{aside}{end}")) for end in _WITH_DATABASE]
        moved = [(there, away) for there, away in pairs if there.exists()]
        for there, away in moved:
            there.rename(away)

        def put_back() -> None:
            for there, away in moved:
                away.rename(there)

        return put_back

    try:
        return move_data(config, put_aside)
    except NotEmpty:
        raise Trouble(
            say("The PostgreSQL that GUVERCIN_DATABASE_URL names is not empty. Nothing was moved."),
            say("Make an empty database (createdb), and name that."),
        ) from None
    except Miscounted:
        raise Trouble(
            say("The counts differ. Nothing was kept, and the file is as it was."),
            say("Is another program writing to one of the two? Look with guvercin doktor, and try again."),
        ) from None
