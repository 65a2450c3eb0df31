"""`yedek` and `geri-yukle`: the whole data folder in one file, and back.

Laws
1. What a backup holds is one thing here and in the panel (gateway/backups.py).
2. A backup never overwrites anything, and has its name only once it is whole.
3. What a backup says is waiting may have gone out since: everything unfinished comes back held, and its owner decides.
4. Nothing is thrown away by a restore: the replaced database stays beside, under a name with the time.
"""

import asyncio
import contextlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import busy, database, holder, settings
from guvercin.cli.start import open_folder
from guvercin.cli.terminal import Terminal, Trouble, size_in_words
from guvercin.gateway.backups import DATABASE, SETTINGS, SPOOL_FILE, mark, write_backup
from guvercin.locale import sentence
from guvercin.sealing import NAME as KEY

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config

_WITH_DATABASE = ("", "-wal", "-shm")


def back_up(
    context: typer.Context,
    *,
    target: Annotated[Path, typer.Argument(metavar="HEDEF", help=sentence("The file to write: guvercin-yedek.tar"))],
    as_json: Json = False,
) -> None:
    """Write everything into one file."""
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    say = terminal.say
    _only_a_file(terminal, config)
    if not config.database.exists():
        raise Trouble(
            say("There is nothing to back up: {folder} has no database.", folder=str(config.data_dir)),
            say("Name the data folder: --veri FOLDER"),
        )
    target = target.absolute() / "guvercin-yedek.tar" if target.is_dir() else target.absolute()
    if target.exists():
        raise _taken(terminal, target)
    try:
        files = asyncio.run(_back_up(config, target))
    except FileExistsError:
        raise _taken(terminal, target) from None
    except OSError as error:
        raise Trouble(
            say("{file} can't be written: {trouble}", file=str(target), trouble=str(error.strerror)),
            say("Check the folder, its rights and the room on the disk."),
        ) from error
    mark(config.data_dir)
    size = target.stat().st_size
    terminal.show({"ok": True, "dosya": str(target), "boyut": size, "belge": files})
    terminal.tell(
        say(
            "Written: {file} ({size}; files of messages: {count})",
            file=str(target),
            size=size_in_words(say, size),
            count=files,
        )
    )
    terminal.tell(say("Inside: every message with its text and number. Keep it as safe as the data folder."))
    terminal.tell(say("Not inside: the folders of your file roots, and the sandbox's log."))
    if (config.data_dir / KEY).exists():
        terminal.tell(say("Not inside either, by purpose: the key {file}. Keep a copy of it elsewhere.", file=KEY))


def _only_a_file(terminal: Terminal, config: "Config") -> None:
    """Leave PostgreSQL to its own tools: half a backup, or one put back into the wrong place, is worse than none."""
    if config.postgres is not None:
        say = terminal.say
        raise Trouble(
            say("The data is in PostgreSQL, and this command copies a database file alone."),
            say(
                "Use the server's own tools (pg_dump, pg_restore), and copy the folder {folder} beside: it holds the "
                "files of messages and the key that opens stored secrets.",
                folder=str(config.shelf),
            ),
        )


async def _back_up(config: "Config", target: Path) -> int:
    """Write the archive; answers how many copies of files are in it."""
    with tempfile.TemporaryDirectory(prefix=".guvercin-yedek-", dir=target.parent) as folder:
        whole = Path(folder, "whole.tar")
        count = await asyncio.to_thread(write_backup, config.data_dir, whole)
        _publish(whole, target)
    return count


def _publish(whole: Path, target: Path) -> None:
    """Give a whole archive its name. FileExistsError if that is taken: nothing is overwritten."""
    try:
        os.link(whole, target)
    except FileExistsError:
        raise
    except OSError:  # a stick's file system knows no second names
        if target.exists():
            raise FileExistsError from None
        whole.rename(target)


def _taken(terminal: Terminal, target: Path) -> Trouble:
    say = terminal.say
    return Trouble(
        say("{file} is there already; a backup overwrites nothing.", file=str(target)), say("Choose another name.")
    )


def restore(
    context: typer.Context,
    *,
    source: Annotated[Path, typer.Argument(metavar="KAYNAK", help=sentence("A file that guvercin yedek has written."))],
    as_json: Json = False,
) -> None:
    """Put a backup back."""
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    say = terminal.say
    _only_a_file(terminal, config)
    open_folder(terminal, config.data_dir)
    with alone(terminal, config), tempfile.TemporaryDirectory(prefix=".geri-yukle-", dir=config.data_dir) as folder:
        unpacked = Path(folder)
        _unpack(terminal, source, unpacked)
        _check(terminal, unpacked / DATABASE, source)
        held = asyncio.run(_hold(terminal, config, unpacked))
        kept = _put_back(config, unpacked)
    terminal.show({"ok": True, "bekletilen": held, "onceki": None if kept is None else str(kept)})
    terminal.tell(say("Put back from {file}.", file=str(source)))
    if kept is not None:
        terminal.tell(say("What was here before stands in {file}.", file=str(kept)))
    if held:
        terminal.tell(say("Held records: {count}. They were unfinished then and may have gone out since.", count=held))
        terminal.tell(say("Let them go out: {command}", command=terminal.command("kayit birak --hepsi")))
        terminal.tell(say("Or withdraw them: {command}", command=terminal.command("kayit iptal --hepsi")))
    terminal.tell(say("Start again: {command}", command=terminal.command("baslat")))


@contextlib.contextmanager
def alone(terminal: Terminal, config: "Config") -> Iterator[None]:
    """Hold the data folder, so that nothing else works in it meanwhile."""
    from guvercin.store.lock import FolderLock, FolderLocked

    try:
        lock = FolderLock(config.data_dir)
    except FolderLocked:
        say = terminal.say
        found = holder(config.lock)
        if found is None or found.address is None:
            raise busy(terminal, found) from None
        raise Trouble(
            say("The server runs on this data folder: {address}", address=found.address),
            say("Stop it first (process {pid}), then put the backup back.", pid=str(found.pid)),
        ) from None
    try:
        yield
    finally:
        lock.release()


def _unpack(terminal: Terminal, source: Path, folder: Path) -> None:
    """Unpack what a backup may hold and nothing else: an archive is somebody's file, and names in it are only names."""
    say = terminal.say
    try:
        with tarfile.open(source) as archive:
            for member in archive:
                if member.isreg() and (member.name in {DATABASE, SETTINGS} or SPOOL_FILE.fullmatch(member.name)):
                    path = folder / member.name
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    content = archive.extractfile(member)
                    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                    with os.fdopen(descriptor, "wb") as out:
                        if content is not None:
                            shutil.copyfileobj(content, out)
    except FileNotFoundError:
        raise Trouble(say("There is no file {file}.", file=str(source)), say("Check the path.")) from None
    except (tarfile.TarError, EOFError) as error:
        raise _no_backup(terminal, source) from error
    except OSError as error:
        raise Trouble(
            say("{file} can't be unpacked: {trouble}", file=str(source), trouble=str(error.strerror)),
            say("Check the rights of the file and the room on the disk. Nothing was changed."),
        ) from error


def _check(terminal: Terminal, copy: Path, source: Path) -> None:
    from guvercin.store.checkup import examine

    if not copy.exists():
        raise _no_backup(terminal, source)
    found = examine(copy)
    say = terminal.say
    if found.damage is not None or found.version is None:
        raise _no_backup(terminal, source)
    if not found.is_known:
        raise Trouble(
            say("A newer Güvercin has written this backup (schema {version}).", version=found.version),
            say("Install that version, then put it back. Nothing was changed."),
        )


def _no_backup(terminal: Terminal, source: Path) -> Trouble:
    say = terminal.say
    return Trouble(
        say("{file} is no whole backup of Güvercin.", file=str(source)),
        say("Choose a file that guvercin yedek has written. Nothing was changed."),
    )


async def _hold(terminal: Terminal, config: "Config", unpacked: Path) -> int:
    """Hold everything unfinished before it is put back: a crash in between must not let it go out."""
    from guvercin.gateway.clock import SystemClock
    from guvercin.store.seen import NAME as SEEN

    # The mark of what this folder has seen: ids that were given out after the backup are not given out again.
    with contextlib.suppress(FileNotFoundError):
        shutil.copy(config.data_dir / SEEN, unpacked / SEEN)
    async with database(terminal, config.model_copy(update={"data_dir": unpacked})) as store:
        return await store.hold_unfinished(now=SystemClock().now())


def _put_back(config: "Config", unpacked: Path) -> Path | None:
    """Move everything into its place; answers where the database that was there is now."""
    from guvercin.gateway.clock import SystemClock

    kept = None
    if config.database.exists():
        stamp = SystemClock().now().astimezone(config.timezone).strftime("%Y%m%d-%H%M%S")
        kept = config.data_dir / f"guvercin-onceki-{stamp}.db"
        for end in reversed(_WITH_DATABASE):
            with contextlib.suppress(FileNotFoundError):
                config.database.with_name(DATABASE + end).rename(f"{kept}{end}")
    for path in unpacked.glob("spool/*/*"):
        home = config.data_dir / path.relative_to(unpacked)
        home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.replace(home)
    if not (config.data_dir / SETTINGS).exists() and (unpacked / SETTINGS).exists():
        (unpacked / SETTINGS).replace(config.data_dir / SETTINGS)
    (unpacked / DATABASE).replace(config.database)
    return kept
