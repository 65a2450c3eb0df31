"""`doktor`: look at everything that can be wrong before anything is sent, and say how to mend it."""

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from guvercin.cli.engine import try_out
from guvercin.cli.options import Json
from guvercin.cli.reach import database, holder, settings
from guvercin.cli.start import check_port
from guvercin.cli.terminal import ExitCode, Terminal, Trouble, is_watched, size_in_words
from guvercin.core.token import PASS_NAME
from guvercin.locale import Translator

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config
    from guvercin.core.audit import Chain
    from guvercin.core.token import Token
    from guvercin.store.checkup import Checkup

LITTLE_ROOM = 1024**3
NO_ROOM = 100 * 1024**2
"""Bytes free on the disk: below the first the doctor warns, below the second it is red."""

_OLDEST_CLOCK = datetime.fromisoformat("2026-11-01T00:00:00+00:00")
"""A clock before this version was made is wrong."""

_CLOCK_SLACK = timedelta(minutes=2)


class Light(StrEnum):
    """How bad it is: red stops messages or loses them, yellow asks for a look."""

    GREEN = "yesil"
    YELLOW = "sari"
    RED = "kirmizi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `remedy` is empty where there is nothing to do. `key` names it for scripts."""

    key: str
    light: Light
    what: str
    remedy: str = ""


def doctor(context: typer.Context, *, as_json: Json = False) -> int:
    """Look whether everything is well."""
    terminal = Terminal.of(context, as_json=as_json)
    config = settings(terminal)
    findings = list(examine(terminal, config))
    is_well = all(finding.light is not Light.RED for finding in findings)
    terminal.show(
        {
            "ok": is_well,
            "data": [
                {"ad": it.key, "durum": it.light, "bulgu": it.what, "cozum": it.remedy or None} for it in findings
            ],
        },
    )
    for finding in findings:
        terminal.tell(_line(terminal.say, finding))
    return ExitCode.OK if is_well else ExitCode.FAILED


def examine(terminal: Terminal, config: "Config") -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    yield _folder(terminal, config)
    if config.data_dir.is_dir():
        yield _room(terminal.say, config)
    yield _server(terminal, config)
    if config.postgres is None:
        yield _library(terminal.say)
    yield _engine(terminal, config)
    yield from _sessions(terminal.say, config)
    yield from _secrets(terminal, config)
    if config.postgres is not None or config.database.exists():
        yield from _database(terminal, config)
    yield _clock(terminal.say, config)
    yield _file_roots(terminal.say, config)


def _line(say: Translator, finding: Finding) -> str:
    signs = {
        Light.GREEN: ("✓", "\x1b[32m", say("well")),
        Light.YELLOW: ("!", "\x1b[33m", say("look")),
        Light.RED: ("✗", "\x1b[31m", say("wrong")),
    }
    sign, colour, word = signs[finding.light]
    mark = f"{colour}{sign}\x1b[0m" if is_watched() else f"{sign} [{word}]"
    if not finding.remedy:
        return f"{mark} {finding.what}"
    remedy = say("Remedy: {remedy}", remedy=finding.remedy)
    return f"{mark} {finding.what}\n    {remedy}"


def _folder(terminal: Terminal, config: "Config") -> Finding:
    say = terminal.say
    folder = str(config.data_dir)
    if not config.data_dir.is_dir():
        return Finding(
            key="veri_klasoru",
            light=Light.YELLOW,
            what=say("The data folder {folder} is not there yet.", folder=folder),
            remedy=say("The first start makes it: {command}", command=terminal.command("baslat")),
        )
    if not os.access(config.data_dir, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            key="veri_klasoru",
            light=Light.RED,
            what=say("The data folder {folder} can't be written.", folder=folder),
            remedy=say("Run the command as the user that runs the server, or give that user the folder."),
        )
    if config.data_dir.stat().st_mode & 0o077:
        return Finding(
            key="veri_klasoru",
            light=Light.RED,
            what=say("Others on this machine can look into the data folder {folder}.", folder=folder),
            remedy=f"chmod 700 {folder}",
        )
    return Finding(key="veri_klasoru", light=Light.GREEN, what=say("Data folder: {folder}", folder=folder))


def _room(say: Translator, config: "Config") -> Finding:
    free = shutil.disk_usage(config.data_dir).free
    what = say("Free on the disk: {size}", size=size_in_words(say, free))
    if free >= LITTLE_ROOM:
        return Finding(key="disk", light=Light.GREEN, what=what)
    remedy = say("Make room: when the disk is full, no message can be accepted.")
    return Finding(key="disk", light=Light.RED if free < NO_ROOM else Light.YELLOW, what=what, remedy=remedy)


def _server(terminal: Terminal, config: "Config") -> Finding:
    say = terminal.say
    if found := holder(config.lock):
        if found.address:
            what = say("The server runs: {address} (process {pid})", address=found.address, pid=str(found.pid))
        else:
            what = say(
                "Another guvercin command is at work on this data folder (process {pid}).", pid=str(found.pid or "?")
            )
        return Finding(key="sunucu", light=Light.GREEN, what=what)
    try:
        check_port(terminal, config)
    except Trouble as trouble:
        return Finding(key="sunucu", light=Light.RED, what=trouble.what, remedy=trouble.remedy)
    what = say("The server does not run; port {port} is free.", port=str(config.port))
    return Finding(key="sunucu", light=Light.YELLOW, what=what, remedy=terminal.command("baslat"))


def _library(say: Translator) -> Finding:
    from guvercin.store.sqlite import SOUND_VERSION, library_version

    version = ".".join(map(str, library_version()))
    if library_version() >= SOUND_VERSION:
        return Finding(key="sqlite", light=Light.GREEN, what=f"SQLite {version}")
    return Finding(
        key="sqlite",
        light=Light.YELLOW,
        what=say("SQLite {version} is old: a rare fault in it can damage the database.", version=version),
        remedy=say("Use a Python whose SQLite is {version} or newer.", version=".".join(map(str, SOUND_VERSION))),
    )


def _engine(terminal: Terminal, config: "Config") -> Finding:
    """Try the engine of linked phones as a worker would: in a process of its own, for it may take that down."""
    from guvercin.transports.web.engines import Engines

    say, key = terminal.say, "motor"
    what = say("Linked phones")
    engine = Engines(config.raised_engines).current()
    if engine is None:
        return Finding(
            key=key,
            light=Light.YELLOW,
            what=say("{what}: the engine is not installed.", what=what),
            remedy=say("Install it: {command}", command="pip install 'guvercin[web]'"),
        )
    trouble = try_out(engine)
    if trouble is None and engine.has_passed:
        whole = say("{what}: engine {version}.", what=what, version=engine.version)
        return Finding(key=key, light=Light.GREEN, what=whole)
    if trouble is None:
        return Finding(
            key=key,
            light=Light.YELLOW,
            what=say("{what}: engine {version}, which has not been tried by us.", what=what, version=engine.version),
            remedy=say("If it is worse than before: {command}", command=terminal.command("motor geri-al")),
        )
    return Finding(
        key=key,
        light=Light.YELLOW,
        what=say("{what}: the engine does not run here.", what=what),
        remedy=say("This platform is not supported by the engine; the sandbox works all the same."),
    )


def _sessions(say: Translator, config: "Config") -> Iterator[Finding]:
    """Say what the sessions of linked phones are worth, where there are any."""
    folder = config.engine_stores
    try:
        linked = [path for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return
    if not linked:
        return
    what = say(
        "Linked phones: {folder} is the WhatsApp account itself. Who can read it reads and writes as you, without your "
        "phone.",
        folder=str(folder),
    )
    open_ones = [path for path in (folder, *linked) if path.stat().st_mode & 0o077]
    if open_ones:
        yield Finding(key="oturumlar", light=Light.RED, what=what, remedy=f"chmod 700 {' '.join(map(str, open_ones))}")
        return
    yield Finding(
        key="oturumlar",
        light=Light.GREEN,
        what=what,
        remedy=say(
            "Nothing to mend now. Never copy it; if it may be in other hands, remove the device on your phone (Linked "
            "devices)."
        ),
    )


def _secrets(terminal: Terminal, config: "Config") -> Iterator[Finding]:
    """Look at the key that seals, and for what an older version left unsealed."""
    from guvercin.sealing import NAME

    say, key = terminal.say, config.shelf / NAME
    if key.exists() and key.stat().st_mode & 0o077:
        yield Finding(
            key="sirlar",
            light=Light.RED,
            what=say("Others on this machine can read the key {file}.", file=str(key)),
            remedy=f"chmod 600 {key}",
        )
    elif any(path.stem.isdigit() for path in (config.shelf / "cloud").glob("*.json")):
        yield Finding(
            key="sirlar",
            light=Light.YELLOW,
            what=say("Secrets of a Cloud account still lie in plain words on the disk."),
            remedy=say("The next start seals them: {command}", command=terminal.command("baslat")),
        )


def _database(terminal: Terminal, config: "Config") -> Iterator[Finding]:
    from guvercin.store.checkup import examine as examine_file
    from guvercin.store.checkup import examine_server

    say = terminal.say
    if config.postgres is None:
        found = examine_file(config.database)
    else:
        found = examine_server(config.postgres, config.shelf)
        if found.damage is not None:
            yield Finding(
                key="veritabani",
                light=Light.RED,
                what=say("PostgreSQL can't be used: {trouble}", trouble=found.damage),
                remedy=say("Does the server run, and does it let this user in? See GUVERCIN_DATABASE_URL."),
            )
            return
        yield _server_backups(say, found)
        yield from _nodes(say, found)
    if found.damage is not None:
        yield Finding(
            key="veritabani",
            light=Light.RED,
            what=say("The database is damaged: {damage}", damage=found.damage),
            remedy=say(
                "Stop the server, keep a copy of the folder, then put a backup back: {command}",
                command=terminal.command("geri-yukle YEDEK"),
            ),
        )
        return
    yield _schema(terminal, found)
    if found.is_known:
        yield from _waiting(terminal, found)
    if found.chain is not None:
        yield _audit(terminal.say, found.chain)
    if found.lost_refusals:
        yield _lost_refusals(terminal.say, found.lost_refusals)
    if found.is_current:
        yield _tokens(terminal, asyncio.run(_read_tokens(terminal, config)))


def _server_backups(say: Translator, found: "Checkup") -> Finding:
    """Say whose care the data is: nothing here can see the backups of a server."""
    return Finding(
        key="postgresql",
        light=Light.GREEN,
        what=say("PostgreSQL {version}. Its backups are not seen from here.", version=str(found.server)),
        remedy=say("See that it is backed up by its own tools (pg_dump, or an archive of its WAL)."),
    )


def _nodes(say: Translator, found: "Checkup") -> Iterator[Finding]:
    """Say which gateways run, and which accounts each of them has."""
    running = [node for node in found.nodes if node.is_alive]
    if running:
        parts = [
            say(
                "gateway {node} ({address}, version {version}, schema {schema}) runs accounts {accounts}",
                node=node.id,
                address=node.address,
                version=node.version or "?",
                schema=node.schema or "?",
                accounts=", ".join(map(str, node.accounts)) or "-",
            )
            for node in running
        ]
        yield Finding(key="dugumler", light=Light.GREEN, what="; ".join(parts))


def _schema(terminal: Terminal, found: "Checkup") -> Finding:
    say = terminal.say
    if found.is_known and not found.is_current:
        return Finding(
            key="veritabani",
            light=Light.YELLOW,
            what=say("The database is sound, and of an older Güvercin (schema {version}).", version=str(found.version)),
            remedy=say(
                "Back it up, then start the server with this version, which brings it up to date: {command}",
                command=terminal.command("baslat"),
            ),
        )
    if found.is_newer and found.is_known:
        return Finding(
            key="veritabani",
            light=Light.YELLOW,
            what=say(
                "The database is sound, and of a newer Güvercin (schema {version}). This version can still run on it.",
                version=str(found.version),
            ),
            remedy=say("Bring this program to the newer version, too, when it suits you."),
        )
    if found.is_known:
        what = say("The database is sound (schema {version}).", version=str(found.version))
        return Finding(key="veritabani", light=Light.GREEN, what=what)
    if found.version is None:
        return Finding(
            key="veritabani",
            light=Light.YELLOW,
            what=say("The database is empty."),
            remedy=say("The first start fills it: {command}", command=terminal.command("baslat")),
        )
    return Finding(
        key="veritabani",
        light=Light.RED,
        what=say("A newer Güvercin has written this database (schema {version}).", version=found.version),
        remedy=say("Install that version again."),
    )


def _waiting(terminal: Terminal, found: "Checkup") -> Iterator[Finding]:
    say = terminal.say
    if found.held:
        yield Finding(
            key="bekletilen",
            light=Light.YELLOW,
            what=say(
                "Held records: {count}. They came back with a backup and wait for your decision.", count=found.held
            ),
            remedy=say(
                "Let them go out: {release} · or not: {cancel}",
                release=terminal.command("kayit birak --hepsi"),
                cancel=terminal.command("kayit iptal --hepsi"),
            ),
        )
    if found.unknown:
        yield Finding(
            key="belirsiz",
            light=Light.YELLOW,
            what=say("Records in doubt: {count}. They may have left.", count=found.unknown),
            remedy=terminal.command("kayit --durum unknown"),
        )


def _audit(say: Translator, chain: "Chain") -> Finding:
    if chain.broken_at is not None:
        return Finding(
            key="denetim",
            light=Light.RED,
            what=say("The audit was touched: entry {number} does not fit the one before it.", number=chain.broken_at),
            remedy=say(
                "Somebody has changed or removed entries in the database. Keep a copy of the folder, and compare with "
                "a backup."
            ),
        )
    if not chain.count:
        return Finding(key="denetim", light=Light.GREEN, what=say("The audit has no entries yet."))
    what = say(
        "The audit is whole: {count} entries, newest hash {head}.", count=chain.count, head=(chain.head or "")[:16]
    )
    return Finding(key="denetim", light=Light.GREEN, what=what)


def _lost_refusals(say: Translator, count: int) -> Finding:
    return Finding(
        key="gizli_retler",
        light=Light.RED,
        what=say(
            "Refusals that nobody can be matched with any more: {count}. Of these people only a hash was kept, and its "
            "key (guvercin.key) is not here.",
            count=count,
        ),
        remedy=say("Put the file guvercin.key back from the machine where this database came from."),
    )


def _tokens(terminal: Terminal, tokens: "Sequence[Token]") -> Finding:
    say = terminal.say
    count = sum(token.revoked_at is None and token.rules.name != PASS_NAME for token in tokens)
    if count:
        return Finding(key="anahtar", light=Light.GREEN, what=say("API keys: {count}", count=count))
    return Finding(
        key="anahtar",
        light=Light.YELLOW,
        what=say("There is no API key: no program can send."),
        remedy=terminal.command("anahtar uret --ad muhasebe"),
    )


async def _read_tokens(terminal: Terminal, config: "Config") -> "Sequence[Token]":
    async with database(terminal, config) as store:
        return [token for token in await store.tokens() if token.is_key]


def _clock(say: Translator, config: "Config") -> Finding:
    from guvercin.gateway.clock import SystemClock

    now = SystemClock().now()
    newest = _newest_change(config)
    shown = now.astimezone(config.timezone).strftime("%d.%m.%Y %H:%M %Z")
    if now < _OLDEST_CLOCK or (newest is not None and now < newest - _CLOCK_SLACK):
        return Finding(
            key="saat",
            light=Light.RED,
            what=say("The clock is wrong: {time}", time=shown),
            remedy=say("Set it right, and let the system keep it so (NTP): planned times and lifetimes hang on it."),
        )
    return Finding(key="saat", light=Light.GREEN, what=say("Clock: {time}", time=shown))


def _newest_change(config: "Config") -> datetime | None:
    """Answer when the data folder was last written: a clock behind that has been set back."""
    from datetime import UTC

    try:
        return datetime.fromtimestamp(config.database.stat().st_mtime, UTC)
    except OSError:
        return None


def _file_roots(say: Translator, config: "Config") -> Finding:
    if not config.file_roots:
        return Finding(
            key="dosya_kokleri",
            light=Light.GREEN,
            what=say("No file root is set: files are sent by upload alone."),
        )
    for root in config.file_roots:
        if not root.is_dir() or not os.access(root, os.R_OK | os.X_OK):
            return Finding(
                key="dosya_kokleri",
                light=Light.RED,
                what=say("The file root {folder} is not a folder that can be read.", folder=str(root)),
                remedy=say("Make the folder, or take it out of GUVERCIN_FILE_ROOTS or file_roots."),
            )
    folders = ", ".join(map(str, config.file_roots))
    return Finding(key="dosya_kokleri", light=Light.GREEN, what=say("File roots: {folders}", folders=folders))
