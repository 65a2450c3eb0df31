"""`baslat`: check everything that can be checked, then serve until asked to stop.

Laws
1. Whatever stops the start is said before anything is made: settings, folder, lock, port.
2. The first token is shown once, to somebody who watches; otherwise it goes into a private file, and only its path is
   printed.
3. The command that is printed works when it is pasted.
"""

import asyncio
import contextlib
import errno
import gc
import os
import shlex
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guvercin import __version__
from guvercin.cli import people, sample, tokens
from guvercin.cli.reach import API, busy, database, holder, misconfigured, settings
from guvercin.cli.terminal import Terminal, Trouble, is_watched
from guvercin.core.account import Account, Kind
from guvercin.core.token import PASS_NAME, Permission, TokenRules
from guvercin.locale import Translator, sentence

if TYPE_CHECKING:  # heavy: loaded when a command runs
    from guvercin.config import Config
    from guvercin.core.token import Token

TRY_PHONE = "+905000000001"
TOKEN_FILE = "ilk-anahtar.txt"  # noqa: S105 -- where it stands, not what it is
_PORTS_TO_TRY = 50


def start(
    context: typer.Context,
    *,
    host: Annotated[str | None, typer.Option("--host", metavar="X", help=sentence("The address to listen on."))] = None,
    port: Annotated[int | None, typer.Option("--port", metavar="N", help=sentence("The port to listen on."))] = None,
    is_public: Annotated[
        bool,
        typer.Option("--herkese-acik", help=sentence("Listen where other machines can reach it. Put TLS before it.")),
    ] = False,
    is_trial: Annotated[
        bool, typer.Option("--deneme", help=sentence("Try it in a temporary folder that is removed at the end."))
    ] = False,
    has_sample: Annotated[
        bool, typer.Option("--ornek", help=sentence("If no file root is set, make one with a sample invoice."))
    ] = False,
) -> None:
    """Start the server and stay until it is stopped."""
    terminal = Terminal.of(context)
    with _trial_folder(terminal, wanted=is_trial):
        config = settings(terminal, host=host, port=port, allow_public=is_public or None)
        _check(terminal, config)
        open_folder(terminal, config.data_dir)
        if has_sample and not config.file_roots:
            config = config.with_file_roots(sample.make(config.data_dir))
        serve(terminal, config, sample_file=sample.NAME if has_sample else None)


def serve(terminal: Terminal, config: "Config", *, sample_file: str | None) -> None:
    """Serve, greeting whoever started it once the server answers."""
    gc.disable()  # what is made while starting stays: looking for garbage in it takes longer than it is worth
    from guvercin.main import serving
    from guvercin.store.lock import FolderLocked

    first, in_file, accounts = asyncio.run(_prepare_token(terminal, config))
    setup = asyncio.run(_setup_hint(terminal, config))
    is_greeted = False

    def on_started() -> None:
        nonlocal is_greeted
        is_greeted = True
        token = _from_file(config) if in_file else "$GUVERCIN_TOKEN"
        news: list[str] = []
        if first:
            token, news = keep_token(terminal, config, first[1])
        for line in greeting(terminal, config, token, news, sample_file, accounts=accounts, setup=setup):
            terminal.tell(line)
        sys.stdout.flush()  # to a pipe or a journal nothing goes by itself before the end

    try:
        serving.serve(config, on_started)
    except FolderLocked:
        raise busy(terminal, holder(config.lock)) from None
    finally:
        if first and not is_greeted:  # nobody has seen it, so nobody can use it
            asyncio.run(tokens.end(terminal, config, first[0].id))
    terminal.tell(terminal.say("Stopped. Whatever waits is kept and goes out after the next start."))


@contextlib.contextmanager
def _trial_folder(terminal: Terminal, *, wanted: bool) -> Iterator[None]:
    if not wanted:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="guvercin-") as folder:
        terminal.data_dir = Path(folder)
        yield


def _check(terminal: Terminal, config: "Config") -> None:
    from guvercin.config import ConfigError, check

    say = terminal.say
    try:
        check(config)
    except ConfigError as error:
        raise misconfigured(terminal, error) from error
    if found := holder(config.lock):
        if found.address is None:
            raise busy(terminal, found)
        raise Trouble(
            say("Güvercin already runs on this data folder: {address}", address=found.address),
            say("Use that one, or stop it first (process {pid}).", pid=str(found.pid)),
        )
    check_port(terminal, config)


def check_port(terminal: Terminal, config: "Config") -> None:
    """Say it in words when the address can't be listened on."""
    say = terminal.say
    port = str(config.port)
    try:
        _try_listening(config.host, config.port)
    except PermissionError:
        raise Trouble(
            say("Port {port} is only for the system's administrator.", port=port),
            say("Choose one from 1024 up: {command}", command="guvercin baslat --port 8080"),
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            free = _next_free(config)
            raise Trouble(
                say("Port {port} is in use.", port=port),
                say("Choose another one: {command}", command=f"guvercin baslat --port {free}"),
            ) from None
        raise Trouble(
            say("This machine can't listen on {host}: {trouble}", host=config.host, trouble=str(error.strerror)),
            say("Write an address of this machine, such as 127.0.0.1."),
        ) from None


def _try_listening(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)


def _next_free(config: "Config") -> int:
    """Answer a port that was free a moment ago, near the wanted one."""
    for port in range(config.port + 1, min(config.port + _PORTS_TO_TRY, 65_535)):
        with contextlib.suppress(OSError):
            _try_listening(config.host, port)
            return port
    return config.port + 1


def open_folder(terminal: Terminal, folder: Path) -> None:
    """Make the data folder, readable for its owner alone: whoever reads it reads every message."""
    say = terminal.say
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Trouble(
            say("The data folder {folder} can't be used: {trouble}", folder=str(folder), trouble=str(error.strerror)),
            say("Check its owner and rights, or choose another one: guvercin baslat --veri FOLDER"),
        ) from error


async def _prepare_token(
    terminal: Terminal, config: "Config"
) -> "tuple[tuple[Token, str] | None, bool, Sequence[Account]]":
    """Make the first token if there is none.

    Answers it with its secret, whether the file's token still works, and the accounts for linked phones.
    """
    from guvercin.gateway.access import hash_of
    from guvercin.gateway.clock import SystemClock

    async with database(terminal, config, beside=True) as store:
        accounts = [
            account for account in await store.accounts() if account.kind is Kind.WEB and account.removed_at is None
        ]
        if all(token.rules.name == PASS_NAME for token in await store.tokens() if token.is_key):
            rules = TokenRules(name="ilk anahtar", permissions=frozenset(Permission))
            return await tokens.make(store, rules), False, accounts
        try:
            written = (config.data_dir / TOKEN_FILE).read_text("ascii").strip()
        except (OSError, ValueError):
            return None, False, accounts
        kept = await store.token(hash_of(written))
        return None, kept is not None and kept.is_valid(SystemClock().now()), accounts


def keep_token(terminal: Terminal, config: "Config", secret: str) -> tuple[str, list[str]]:
    """Give the first token to its owner, once. Answers how a shell gets it from now on, and what its owner is told."""
    say = terminal.say
    if os.isatty(1):
        return secret, [say("Your first token. Copy it now, it is not shown again:"), secret]
    file = config.data_dir / TOKEN_FILE
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as written:
        written.write(secret + "\n")
    return _from_file(config), [say("Your first token stands in {file}; only you can read it.", file=str(file))]


async def _setup_hint(terminal: Terminal, config: "Config") -> str | None:
    """Answer the one-time link for somebody who watches, else the command that shows it; null once the panel is set up.

    A journal keeps what it is told, so it isn't told the link.
    """
    if os.isatty(1):
        return await people.make_link(terminal, config)
    async with database(terminal, config) as store:
        return None if await store.people() else terminal.command("kurulum-linki")


def _from_file(config: "Config") -> str:
    return f"$(cat {shlex.quote(str(config.data_dir / TOKEN_FILE))})"


def greeting(
    terminal: Terminal,
    config: "Config",
    token: str,
    news: Sequence[str],
    sample_file: str | None,
    *,
    accounts: "Sequence[Account]" = (),
    setup: str | None = None,
) -> Sequence[str]:
    """Answer what is shown once the server answers.

    `news` tells of the first token, on the first start; `accounts` are those for linked
    phones; `setup` is how the panel's first person comes in, null when somebody has.
    """
    say = terminal.say
    phones = sum(account.phone is not None for account in accounts)
    facts = [
        (say("Panel"), config.address),
        *([(say("First set-up"), setup)] if setup else []),
        (say("API page"), f"{config.address}/belge"),
        (say("Data"), _short(config.data_dir)),
        (say("Mode"), _mode(say, config, phones)),
    ]
    if config.whatsapp_test_server:
        facts.append((say("WhatsApp"), say("the test server on this machine: nothing reaches a real phone")))
    lines = [*_frame(say("Güvercin is running"), facts), "", *news]
    lines += ["", say("Try it in another terminal:"), ""] if news else [say("Try it in another terminal:"), ""]
    hello = say("Hello, this is a trial.")
    sandbox = ', "hesap_id": 1' if phones else ""
    lines += _curl(config, "gonder", token, f'{{"telefon": "{TRY_PHONE}", "mesaj": "{hello}"{sandbox}}}')
    if sample_file:
        lines += [
            "",
            *_curl(
                config, "dosya-gonder", token, f'{{"telefon": "{TRY_PHONE}", "dosya_yolu": "{sample_file}"{sandbox}}}'
            ),
        ]
    if token == "$GUVERCIN_TOKEN":  # noqa: S105 -- the variable's name
        lines += [
            "",
            say("The token: {command}", command=f"export GUVERCIN_TOKEN=$({terminal.command('anahtar uret')})"),
        ]
    if accounts and (trouble := engine_trouble(say)) is not None:
        lines += ["", _red(trouble), say("Remedy: {remedy}", remedy=terminal.command("doktor"))]
    if config.is_public:
        warning = say(
            "Other machines can reach this address: put a proxy with TLS before it, for tokens travel openly."
        )
        lines += ["", _red(warning)]
    return [*lines, "", say("Stop it with Ctrl+C.")]


def engine_trouble(say: Translator, **looked_for: str) -> str | None:
    """Say what keeps linked phones from working here, as far as can be seen without loading their engine."""
    from guvercin.transports.web.engines import obstacle

    what = say("Linked phones")
    match obstacle(**looked_for):
        case None:
            return None
        case "package":
            return say("{what}: the engine is not installed.", what=what)
        case _:
            return say("{what}: the engine does not run here.", what=what)


def _mode(say: Translator, config: "Config", phones: int) -> str:
    """Say whom messages reach."""
    if config.whatsapp_test_server is not None:
        return say("test server (nothing reaches WhatsApp)")
    if phones:
        return say("linked phones: {count} (messages reach people)", count=str(phones))
    return say("sandbox (sends no real message)")


def _curl(config: "Config", path: str, token: str, body: str) -> list[str]:
    return [
        f"curl -sS {config.address}{API}/{path} \\",
        f'  -H "Authorization: Bearer {token}" \\',
        '  -H "Content-Type: application/json" \\',
        f"  -d '{body}'",
    ]


def _frame(title: str, facts: Sequence[tuple[str, str]]) -> Sequence[str]:
    width = max(len(name) for name, _ in facts)
    rows = [title, *(f"{name.ljust(width)}  {value}" for name, value in facts)]
    if not is_watched():
        return rows
    from rich import box
    from rich.console import Console
    from rich.panel import Panel

    console = Console()
    with console.capture() as frame:
        console.print(Panel("\n".join(rows), title=f"v{__version__}", expand=False, box=box.ROUNDED), markup=False)
    return frame.get().rstrip("\n").split("\n")


def _red(text: str) -> str:
    return f"\x1b[31m{text}\x1b[0m" if is_watched() else text


def _short(folder: Path) -> str:
    """Answer a path as its owner would write it."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
