"""`deneme-sunucusu`: a WhatsApp on this machine, with a phone in this terminal, so that everything can be tried.

Laws
1. It listens on loopback alone and nothing leaves the machine: no phone, no account and no internet are needed.
2. Its folder holds what a server of ours needs to be told, for as long as it runs; nothing of it is worth keeping.
3. A data folder with phones of the real WhatsApp never meets it (config.check_test_server).
4. It shows what the simulated phones receive, texts included: showing it is what it is for.
"""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import stat
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from guvercin.cli.reach import misconfigured, settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble
from guvercin.locale import sentence

if TYPE_CHECKING:  # heavy, and only there with the extra `test`
    from guvercin.config import Config
    from guvercin.testing.whatsapp.faults import Fault

OWN_PHONE = "905301112233"
"""None of the numbers that the examples write to."""
FOLDER = "guvercin-deneme-sunucusu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was asked for. Numbers are digits alone; `account` is the one whose code is scanned by itself."""

    folder: Path
    number: str
    account: int | None
    faults: "tuple[Fault, ...]"
    absent: tuple[str, ...]


def run(
    context: typer.Context,
    *,
    phone: Annotated[
        str, typer.Option("--telefon", metavar="TELEFON", help=sentence("The number of the phone in this terminal."))
    ] = "+" + OWN_PHONE,
    folder: Annotated[
        Path | None, typer.Option("--klasor", metavar="KLASÖR", help=sentence("The test server's own folder."))
    ] = None,
    account: Annotated[
        int | None,
        typer.Option(
            "--tara", metavar="NO", help=sentence("Scan the code of this account by itself, when there is one.")
        ),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--ariza", metavar="DOSYA", help=sentence("A plan of faults, as JSON."))
    ] = None,
    absent: Annotated[
        list[str] | None,
        typer.Option("--yok", metavar="TELEFON", help=sentence("A number that is not on WhatsApp. May be repeated.")),
    ] = None,
) -> int:
    """Run a WhatsApp on this machine, and a phone in this terminal."""
    terminal = Terminal.of(context)
    _check_parts(terminal)
    own_folder = (folder or _default_folder()).expanduser().absolute()
    config = _settings(terminal, own_folder)
    trial = Trial(
        folder=own_folder,
        number=_number(terminal, phone),
        account=account,
        faults=_read_plan(terminal, plan),
        absent=tuple(_number(terminal, written) for written in absent or ()),
    )
    with _held(terminal, own_folder):
        return asyncio.run(_serve(terminal, config, trial))


def _check_parts(terminal: Terminal) -> None:
    """Say what is missing, before anything is made."""
    say = terminal.say
    try:
        from guvercin.testing.whatsapp import bed
    except ImportError as missing:
        raise Trouble(
            say("The test server is not installed: {name} is missing.", name=str(missing.name)),
            say("Install it: {command}", command="pip install 'guvercin[web,test]'"),
        ) from missing
    del bed
    if not sys.platform.startswith("linux"):
        raise Trouble(say("The test server runs on Linux alone."), say("Try the sandbox: it needs nothing."))


def _number(terminal: Terminal, written: str) -> str:
    from guvercin.cli.desk import digits

    try:
        return digits(written)
    except ValueError:
        raise Trouble(
            terminal.say("«{phone}» is no phone number.", phone=written),
            terminal.say("Write it with its country: {phone}", phone="+905321234567"),
            code=ExitCode.USAGE,
        ) from None


def _default_folder() -> Path:
    from guvercin.config import default_data_dir

    return default_data_dir().with_name(FOLDER)


def _settings(terminal: Terminal, own_folder: Path) -> "Config":
    """Read the settings as the server that links here will have them. Trouble: its folder has phones of WhatsApp's."""
    from guvercin.config import TEST_MARK, ConfigError

    config = settings(terminal, whatsapp_test_server=own_folder)
    with suppress(OSError):
        held = {entry.name for entry in config.engine_stores.iterdir()}
        if held and TEST_MARK not in held:
            error = ConfigError(
                sentence("Phones are linked to the real WhatsApp in {folder}: the test server would unlink them."),
                sentence("Choose another folder for the trial: --veri FOLDER"),
                folder=str(config.data_dir),
            )
            raise misconfigured(terminal, error)
    return config


def _read_plan(terminal: Terminal, file: Path | None) -> "tuple[Fault, ...]":
    from guvercin.testing.whatsapp.faults import Plan

    if file is None:
        return ()
    try:
        return Plan.read(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        say = terminal.say
        raise Trouble(
            say("The plan {file} can't be used: {trouble}", file=str(file), trouble=str(error)),
            say("Write a list of objects: {example}", example='[{"at": "message", "act": "cut", "skip": 2}]'),
            code=ExitCode.USAGE,
        ) from error


@contextmanager
def _held(terminal: Terminal, folder: Path) -> Iterator[None]:
    """Empty the test server's folder, hold it for this process alone, and remove it at the end."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(folder.name + ".lock")
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                terminal.say("A test server runs in {folder} already.", folder=str(folder)),
                terminal.say("Use that one, or choose another folder: --klasor FOLDER"),
            ) from None
        if folder.exists() and not _is_ours(folder):
            raise Trouble(
                terminal.say("{folder} is not empty, and not a test server's.", folder=str(folder)),
                terminal.say("Use that one, or choose another folder: --klasor FOLDER"),
            )
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    names = {entry.name for entry in folder.iterdir()}
    return not names or {"site", "tls"} <= names


async def _serve(terminal: Terminal, config: "Config", trial: Trial) -> int:
    from guvercin.cli.desk import Desk
    from guvercin.config import TEST_ENVIRONMENT
    from guvercin.gateway.clock import SystemClock
    from guvercin.testing.whatsapp.bed import Bed

    bed = Bed(trial.folder, SystemClock())
    bed.server.welcomes_strangers = True
    bed.server.faults.add(*trial.faults)
    for number in trial.absent:
        bed.server.add_phone(number).is_registered = False
    own = bed.server.add_phone(trial.number, terminal.say("The phone in the terminal"))
    await bed.start()
    (trial.folder / TEST_ENVIRONMENT).write_text(json.dumps(bed.environment), "utf-8")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what arrives is shown when it does, in a log as well
    desk = Desk(terminal, bed.server, own)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, desk.is_leaving.set)
    desk.greet(trial.folder)
    work = [desk.show_messages(), desk.show_links(), _lines(desk.do)]
    if trial.account is not None:
        work.append(desk.scan_by_itself(config, trial.account))
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await desk.is_leaving.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bed.stop()
    terminal.tell(terminal.say("The test server has ended; the phones linked to it are linked no more."))
    return ExitCode.OK


async def _lines(do: Callable[[str], Awaitable[None]]) -> None:
    """Hand on each line that is typed, until there is nobody to type."""
    if not _may_wait(sys.stdin):
        for line in sys.stdin:
            await do(line.strip())
        return
    reader = asyncio.StreamReader()
    with suppress(ValueError, OSError):  # there is no standard input
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while typed := await reader.readline():
            await do(typed.decode("utf-8", "replace").strip())


def _may_wait(source: TextIO) -> bool:
    """Say whether somebody may type there later: a terminal or a pipe, and not a file or nothing at all."""
    with suppress(ValueError, OSError):
        mode = os.fstat(source.fileno()).st_mode
        return source.isatty() or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    return False
