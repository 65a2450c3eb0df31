"""`motor`: the engine of linked phones, which WhatsApp may outdate overnight: looked at, raised alone, taken back.

Laws
1. What Güvercin is installed in is never touched: a raised engine lies in the data folder, and workers load it.
2. Nothing is chosen that a worker has not loaded first; whatever goes wrong before that leaves everything as it was.
3. One package is fetched, as a wheel and without what it asks for: neither its build nor its friends run here.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guvercin.cli.options import Json
from guvercin.cli.reach import settings
from guvercin.cli.terminal import ExitCode, Terminal, Trouble
from guvercin.locale import Translator, sentence

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.transports.web.engines import Engine, Engines

OLD = timedelta(days=180)
"""A protocol older than this deserves a look: WhatsApp refuses programs that are too old."""

_LOADING = 60.0
_FETCHING = 600.0
_UNREACHED = re.compile(r"connection|retrying|timed out|resolv|unreachable|proxy", re.IGNORECASE)


def show(context: typer.Context, *, as_json: Json = False) -> None:
    """Show the engine."""
    if context.invoked_subcommand is not None:
        return
    from guvercin.gateway.clock import SystemClock
    from guvercin.transports.web.engines import core_built_at

    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    engines = _engines(terminal)
    engine = engines.current()
    if engine is None:
        raise _missing(say)
    built_at = core_built_at(engine)
    age = None if built_at is None else (SystemClock().now() - built_at).days
    trouble = try_out(engine)
    terminal.show({"ok": trouble is None, "data": _record(engine, built_at, age, runs=trouble is None)})
    terminal.tell(say("Engine {version}", version=engine.version) + (f" ({engine.folder})" if engine.folder else ""))
    if built_at is not None and age is not None:
        terminal.tell(say("Its protocol is of {day}: {age} days old.", day=f"{built_at:%d.%m.%Y}", age=str(age)))
    terminal.tell(
        say("The whole suite has passed with it.")
        if engine.has_passed
        else say("This version has not been tried by us: watch the line after its start.")
    )
    if trouble is not None:
        terminal.note(say("It does not run here: {trouble}", trouble=trouble))
    if engine.folder is not None:
        terminal.tell(
            say("Back to the one that Güvercin came with: {command}", command=terminal.command("motor geri-al"))
        )
    elif age is not None and age > OLD.days:
        terminal.tell(say("Look for a newer one: {command}", command=terminal.command("motor yukselt")))
    if trouble is not None:
        raise typer.Exit(ExitCode.FAILED)


def raise_it(
    context: typer.Context,
    *,
    version: Annotated[
        str | None, typer.Argument(metavar="SURUM", help=sentence("A version; without one, the newest in the range."))
    ] = None,
    digest: Annotated[
        str | None,
        typer.Option("--hash", metavar="SHA256", help=sentence("Take the wheel with this SHA-256 and no other.")),
    ] = None,
    is_sure: Annotated[bool, typer.Option("--evet", help=sentence("Don't ask."))] = False,
    as_json: Json = False,
) -> None:
    """Raise the engine alone."""
    from guvercin.transports.web.engines import BELOW, LEAST, Engine, is_in_range, number

    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    engines = _engines(terminal)
    before = engines.current()
    if before is None:
        raise _missing(say)
    if version is not None and not is_in_range(version):
        raise Trouble(
            say("Engine {version} is outside the range that this Güvercin works with.", version=version),
            say("The range: {least} and newer, below {below}. For others, update Güvercin.", least=LEAST, below=BELOW),
            code=ExitCode.USAGE,
        )
    if digest is not None and (version is None or re.fullmatch(r"[0-9a-fA-F]{64}", digest) is None):
        raise Trouble(
            say("{option} needs a version, and 64 digits and letters.", option="--hash"),
            say("See how it is written: {command}", command="guvercin motor yukselt --help"),
            code=ExitCode.USAGE,
        )
    if not is_sure:
        terminal.ask_first(say("Fetch an engine from the package index? It can do whatever this user can."))
    wanted = f"=={version}" if version else f">{before.version},<{BELOW}"
    engines.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=engines.root) as draft:
        found = _fetch(terminal, wanted, digest, Path(draft))
        if number(found) == number(before.version):
            raise Trouble(say("Engine {version} is in use already.", version=found))
        engine = Engine(version=found, folder=Path(draft))
        if (trouble := try_out(engine)) is not None:
            raise Trouble(
                say(
                    "Engine {version} does not run here, and nothing was changed: {trouble}",
                    version=found,
                    trouble=trouble,
                ),
                say("Wait for an update of Güvercin."),
            )
        place = engines.folder_of(found)
        shutil.rmtree(place, ignore_errors=True)
        Path(draft).rename(place)
        Path(draft).mkdir()  # whoever made it removes it
    engines.choose(found)
    chosen = engines.current()
    if chosen is None or chosen.version != found:
        raise Trouble(say("Engine {version} is older than the one that Güvercin came with.", version=found))
    terminal.show({"ok": True, "data": {"surum": found, "denendi": chosen.has_passed, "onceki": before.version}})
    terminal.tell(say("Engine {version} is used from the next start of each line on.", version=found))
    terminal.tell(say("A line that was outdated: {command}", command=terminal.command("hesap devam NO")))
    if not chosen.has_passed:
        terminal.note(say("This version has not been tried by us: watch the line after its start."))
    terminal.note(say("If it is worse than before: {command}", command=terminal.command("motor geri-al")))


def go_back(context: typer.Context, *, as_json: Json = False) -> None:
    """Use the engine that Güvercin came with."""
    terminal = Terminal.of(context, as_json=as_json)
    say = terminal.say
    engines = _engines(terminal)
    engines.go_back()
    engine = engines.current()
    if engine is None:
        raise _missing(say)
    terminal.show({"ok": True, "data": {"surum": engine.version, "denendi": engine.has_passed}})
    terminal.tell(say("Engine {version} is used from the next start of each line on.", version=engine.version))


def try_out(engine: "Engine") -> str | None:
    """Answer what keeps an engine from running here, in a word or its own; null: a process of its own has loaded it."""
    environment = dict(os.environ)
    if engine.folder is not None:
        behind = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(engine.folder), *([behind] if behind else [])])
    command = [sys.executable, "-m", "guvercin.transports.web.worker", "--version"]
    try:
        done = subprocess.run(  # noqa: S603 -- our own
            command, capture_output=True, text=True, timeout=_LOADING, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as trouble:
        return type(trouble).__name__
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    version = (done.stdout.strip().split() or [""])[-1]
    return None if version == engine.version else f"{version} != {engine.version}"


def _engines(terminal: Terminal) -> "Engines":
    from guvercin.transports.web.engines import Engines

    return Engines(settings(terminal).raised_engines)


def _fetch(terminal: Terminal, wanted: str, digest: str | None, folder: Path) -> str:
    """Let pip put one wheel into a folder. Answers its version."""
    from guvercin.transports.web.engines import PACKAGE

    say = terminal.say
    line = f"{PACKAGE}{wanted}" + (f" --hash=sha256:{digest.lower()}" if digest else "")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=folder) as asked:
        asked.write(line + "\n")
        asked.flush()
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-deps"]
        command += ["--only-binary", ":all:", "--no-compile", "--retries", "1", "--timeout", "20"]
        command += ["--target", str(folder), "--requirement", asked.name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCHING, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as trouble:
            raise _unreached(say, type(trouble).__name__) from trouble
    if done.returncode == 0:
        (found,) = folder.glob(f"{PACKAGE}-*.dist-info")
        return found.name.removeprefix(f"{PACKAGE}-").removesuffix(".dist-info")
    told = done.stderr
    if "No module named pip" in told:
        raise Trouble(say("There is no pip in this environment."), "python -m ensurepip")
    if _UNREACHED.search(told):
        raise _unreached(say, "")
    if "hashes" in told.lower():
        raise Trouble(say("The wheel is another one than its SHA-256 says; nothing was changed."))
    if "No matching distribution" in told:
        raise Trouble(
            say("The package index has no engine {wanted} for this machine.", wanted=wanted),
            say("If WhatsApp refuses this one, wait for a newer engine or an update of Güvercin."),
        )
    raise _unreached(say, (told.strip().splitlines() or [""])[-1])


def _unreached(say: Translator, trouble: str) -> Trouble:
    return Trouble(
        say("The package index could not be reached; nothing was changed. {trouble}", trouble=trouble).strip(),
        say("Raising the engine needs the internet, or a wheel on this machine: PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER"),
    )


def _missing(say: Translator) -> Trouble:
    return Trouble(
        say("{what}: the engine is not installed.", what=say("Linked phones")),
        say("Install it: {command}", command="pip install 'guvercin[web]'"),
    )


def _record(engine: "Engine", built_at: datetime | None, age: int | None, *, runs: bool) -> dict[str, object]:
    return {
        "surum": engine.version,
        "protokol_tarihi": None if built_at is None else built_at.date().isoformat(),
        "yas_gun": age,
        "denendi": engine.has_passed,
        "yukseltildi": engine.folder is not None,
        "calisiyor": runs,
    }
