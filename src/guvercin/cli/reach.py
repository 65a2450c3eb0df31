"""How a command reaches the gateway: always through its HTTP API, signed in like any other client.

Laws
1. A server that runs on this data folder is asked over TCP; without one the same app is built in this process. The lock
   of the data folder says which.
2. Who may write in the data folder may ask for anything: the token for that lives ten minutes at most, is made for one
   command, revoked after it and never shown. GUVERCIN_TOKEN takes its place.
3. The token goes to this machine alone: no proxy of the environment is asked.
"""

import fcntl
import json
import os
import pwd
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from guvercin.cli.terminal import ExitCode, Terminal, Trouble
from guvercin.core.audit import ACTOR, Actor, Way
from guvercin.core.errors import Code
from guvercin.core.token import PASS_NAME, Permission, TokenRules
from guvercin.locale import sentence

if TYPE_CHECKING:  # heavy: loaded by the command that needs them
    import httpx2
    from starlette.types import ASGIApp

    from guvercin.config import Config
    from guvercin.gateway.clock import SystemClock
    from guvercin.store.store import Store

Secret: TypeAlias = Callable[[], Awaitable[str]]
"""Gives the token of the next request."""

API = "/api/v1/whatsapp"
UPLOAD_FIELD = "dosya"

PASS_LIFETIME = timedelta(minutes=10)
_PASS_MARGIN = timedelta(minutes=1)

LONGEST_WAIT = 120
"""Seconds that the API waits at most for WhatsApp's acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that holds the data folder. `address` null: a command without a server, or one that is starting."""

    pid: int | None
    address: str | None


def settings(terminal: Terminal, **decided: object) -> "Config":
    """Read the settings for this run; Trouble says what is wrong with them."""
    from guvercin import config

    try:
        found = config.load(data_dir=terminal.data_dir, **decided)
    except config.ConfigError as error:
        raise misconfigured(terminal, error) from error
    _check_owner(terminal, found.database, os.geteuid())
    return found


def _check_owner(terminal: Terminal, database: Path, user: int) -> None:
    """Stop the administrator in somebody's data folder: what root makes there, the server's own user can't open."""
    try:
        owner = database.stat().st_uid
    except OSError:
        return
    if user == 0 and owner != 0:
        say = terminal.say
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise Trouble(
            say("The data folder belongs to the user {user}; files made by root would lock that user out.", user=name),
            say("Run the command as that user: {command}", command=f"sudo -u {shlex.quote(name)} guvercin …"),
        )


def misconfigured(terminal: Terminal, error: Any) -> Trouble:
    """Answer what is told of a ConfigError."""
    say = terminal.say
    return Trouble(say(error.what, **error.params), say(error.remedy, **error.params), code=ExitCode.USAGE)


def holder(lock: Path) -> Holder | None:
    """Answer who holds the lock of a data folder, or None. Looking disturbs nobody who holds it."""
    try:
        with lock.open("rb") as file:
            written = file.read()
            if not written:  # let go in order; trying the lock could get in the way of a server that starts
                return None
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_holder(written)
            return None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _read_holder(raw: bytes) -> Holder:
    try:
        written = json.loads(raw)
        return Holder(pid=int(written["pid"]), address=written.get("address"))
    except (ValueError, TypeError, KeyError, AttributeError):  # locked, and not written yet
        return Holder(pid=None, address=None)


class Pass:
    """The token of one command: made when it is first needed, made again before it ends, revoked by `close`."""

    def __init__(self, store: "Store", permissions: frozenset[Permission], clock: "SystemClock") -> None:
        self._store = store
        self._permissions = permissions
        self._clock = clock
        self._secret = ""
        self._ends_at: datetime | None = None
        self._ids: list[int] = []

    async def secret(self) -> str:
        """Answer a secret that is good for the next request."""
        from guvercin.gateway.access import create_token

        now = self._clock.now()
        if self._ends_at is None or now > self._ends_at - _PASS_MARGIN:
            self._ends_at = now + PASS_LIFETIME
            rules = TokenRules(name=PASS_NAME, permissions=self._permissions, expires_at=self._ends_at)
            token, self._secret = await create_token(self._store, rules, token_bytes(32), now=now)
            self._ids.append(token.id)
        return self._secret

    async def close(self) -> None:
        """Revoke everything that was made."""
        for token_id in self._ids:
            await self._store.revoke_token(token_id, now=self._clock.now())
        self._ids.clear()


class Gate:
    """The API as a command sees it. `is_live`: a server runs, in another process; `is_given`: by GUVERCIN_TOKEN."""

    def __init__(
        self, terminal: Terminal, client: "httpx2.AsyncClient", secret: Secret, *, is_live: bool, is_given: bool
    ) -> None:
        self._terminal = terminal
        self._is_given = is_given
        self._client = client
        self._secret = secret
        self.is_live = is_live

    async def ask(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        """Ask below `/api/v1/whatsapp`, or `root`, and answer the decoded body; Trouble for refusals. See `request`."""
        return _body(await self.request(method, path, **sent))

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        upload: tuple[str, bytes] | None = None,
        form: Mapping[str, str] | None = None,
        root: str = API,
    ) -> "httpx2.Response":
        """Ask and answer the whole response. Null queries are left out.

        `upload`: name and content of one file; `form`: the fields beside it.
        """
        import httpx2

        signed = {"Authorization": f"Bearer {await self._secret()}", **(headers or {})}
        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        files = {UPLOAD_FIELD: upload} if upload else None
        try:
            answer = await self._client.request(
                method, root + path, json=body, data=form, params=wanted, headers=signed, files=files
            )
        except httpx2.HTTPError as error:
            say = self._terminal.say
            raise Trouble(
                say("The server holds the data folder but does not answer: {trouble}", trouble=type(error).__name__),
                say("Look at what it says where it was started, or stop it and run: guvercin baslat"),
            ) from error
        if not answer.is_success:
            trouble = refused(self._terminal, body := _body(answer))
            if self._is_given and body.get("kod") in _TOKEN_REFUSALS:
                trouble.remedy = self._terminal.say(
                    "The token in GUVERCIN_TOKEN was used. Without it the command makes its own: unset GUVERCIN_TOKEN"
                )
            raise trouble
        return answer


def _body(answer: "httpx2.Response") -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"ok": False, "hata": f"HTTP {answer.status_code}", "kod": None}


_TOKEN_REFUSALS = frozenset({Code.INVALID_TOKEN, Code.NOT_ALLOWED})

_REMEDIES: Mapping[Code, str] = MappingProxyType(
    {Code.NO_ACCOUNT: sentence("Choose one: guvercin hesap varsayilan NO, or name one: --hesap NO")},
)
"""Where the page of a code tells programs what to do, and people at a terminal have a command for it."""


def refused(terminal: Terminal, body: Mapping[str, Any]) -> Trouble:
    """Answer what is told of the API's refusal: its own sentence, and what the page of its code says to do."""
    from guvercin.locale.codes import WORDS

    kod = body.get("kod")
    code = Code(kod) if kod in set(Code) else None
    what = str(body.get("hata", ""))
    what = " ".join([what, *(told for field, told in _fields(body) if field not in what)])
    remedy = terminal.say(_REMEDIES.get(code, WORDS[code].todo)) if code else ""
    if log_id := body.get("log_id"):
        look = terminal.say("Record: guvercin durum {log_id}", log_id=str(log_id))
        remedy = f"{remedy} {look}".strip()
    return Trouble(what, remedy, code=ExitCode.NOT_LINKED if code is Code.NO_ACCOUNT else ExitCode.FAILED, body=body)


def _fields(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Answer the sentence about each bad field, alone and with the field's name."""
    fields = body.get("alanlar") or []
    return [(field["mesaj"], f"{field['alan']}: {field['mesaj']}") for field in fields if field.get("mesaj")]


@asynccontextmanager
async def gateway(
    terminal: Terminal, config: "Config", *permissions: Permission, sends: bool = False
) -> AsyncIterator[Gate]:
    """Open the way to the gateway for one command. `sends`: without a server, this process may send meanwhile."""
    import httpx2

    found = holder(config.lock)
    if found is not None and found.address is None:
        raise busy(terminal, found)
    async with AsyncExitStack() as stack:
        if found is None:
            app = await stack.enter_async_context(_here(terminal, config, sends=sends))
            transport: httpx2.AsyncBaseTransport = httpx2.ASGITransport(app)
            address = "http://guvercin"
        else:
            transport, address = httpx2.AsyncHTTPTransport(), str(found.address)
        secret = await stack.enter_async_context(_signed_in(terminal, config, frozenset(permissions)))
        client = httpx2.AsyncClient(
            transport=transport,
            base_url=address,
            timeout=httpx2.Timeout(10.0, read=LONGEST_WAIT + 30.0),
            headers={"Accept-Language": terminal.say.language, "Accept": "application/json"},
            trust_env=False,
        )
        yield Gate(
            terminal,
            await stack.enter_async_context(client),
            secret,
            is_live=found is not None,
            is_given=config.token is not None,
        )


@asynccontextmanager
async def _here(terminal: Terminal, config: "Config", *, sends: bool) -> AsyncIterator["ASGIApp"]:
    """Run the gateway in this process."""
    from guvercin.config import ConfigError, check_file_roots, check_test_server
    from guvercin.main.running import running
    from guvercin.store.lock import FolderLocked

    try:
        check_file_roots(config)
        check_test_server(config)
    except ConfigError as error:
        raise misconfigured(terminal, error) from error
    _quiet_logs(terminal, config)
    try:
        async with running(config, sends=sends) as app:
            yield app
    except FolderLocked:
        raise busy(terminal, None) from None


@asynccontextmanager
async def _signed_in(terminal: Terminal, config: "Config", permissions: frozenset[Permission]) -> AsyncIterator[Secret]:
    """Answer what gives the secret of each request."""
    from guvercin.gateway.clock import SystemClock

    if config.token is not None:
        given = config.token.get_secret_value()

        async def secret() -> str:
            return given

        yield secret
        return
    async with database(terminal, config) as store:
        own = Pass(store, permissions, SystemClock())
        try:
            yield own.secret
        finally:
            await own.close()


@asynccontextmanager
async def database(terminal: Terminal, config: "Config", *, beside: bool = False) -> AsyncIterator["Store"]:
    """Open the database itself, beside a live server or without one: for tokens, backups and a look.

    `beside`: a gateway is about to start, and may change the schema under others.
    """
    from guvercin.main.databases import open_store
    from guvercin.store.lock import FolderLocked

    _quiet_logs(terminal, config)
    ACTOR.set(Actor(way=Way.TERMINAL))
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(open_store(config, beside=beside))
        except FolderLocked:
            raise _not_now(terminal, config) from None
        yield store


def _not_now(terminal: Terminal, config: "Config") -> Trouble:
    """Answer what is told when the database has another schema and somebody runs on it."""
    found = holder(config.lock)
    if found is None or found.address is None:
        return busy(terminal, found)
    say = terminal.say
    return Trouble(
        say("The server that runs here is older than this program: {address}", address=found.address),
        say(
            "Stop it (process {pid}) and start it with this version: {command}",
            pid=str(found.pid),
            command=terminal.command("baslat"),
        ),
    )


def _quiet_logs(terminal: Terminal, config: "Config") -> None:
    """Send logs to stderr, and only errors: a command says what it has to say in words."""
    from guvercin import logs

    logs.configure(config.log_level if terminal.details else "error", config.log_format)


def busy(terminal: Terminal, found: Holder | None) -> Trouble:
    """Answer what is told when another command works in this data folder."""
    say = terminal.say
    pid = str(found.pid) if found and found.pid else "?"
    return Trouble(
        say("Another guvercin command is at work on this data folder (process {pid}).", pid=pid),
        say("Wait until it has ended, then run this command again."),
    )
