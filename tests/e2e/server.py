"""The real server process, as its owner starts it, stops it and loses it.

Laws
1. What was started here is ended here, by its id, whatever becomes of the test.
2. Nothing sleeps: a wait looks again every POLL seconds at most, ends when the process does, and has a deadline.
3. What the server said is kept, and every failure shows it.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import SystemRandom  # noqa: TID251 -- which port is free is nothing that a test depends on
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self

from tests.e2e.nest import Hatched, can_be_hatched, nest

from guvercin.gateway.clock import SystemClock

API = "/api/v1/whatsapp"
GUVERCIN = (sys.executable, "-m", "guvercin")
POLL = 0.02
EVERYTHING = "gonder,toplu,dosya,oku,hesap,yonet"

START_LIMIT = 30.0
"""Seconds that a start may take on a machine with other things to do. What it takes is measured, not tested."""

_PORTS = range(20_000, 30_000)
"""Below those that the system gives to outgoing connections: a port must stay ours while its server is down."""

monotonic = SystemClock().monotonic


class Gone(Exception):  # noqa: N818 -- a word of the tests, no error class
    """The server went away before it answered: what became of the request, nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request was answered with."""

    status: int
    headers: Message
    text: str

    @property
    def json(self) -> dict[str, Any]:
        """The body; its keys stand in the order in which they were written."""
        body = json.loads(self.text)
        assert isinstance(body, dict), self.text
        return body

    @property
    def code(self) -> str | None:
        """The `kod` of a refusal."""
        return self.json.get("kod")


class Client:
    """One keep-alive connection, as a till holds it."""

    def __init__(self, port: int, token: str = "", *, timeout: float = 60.0) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
        self._token = token

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask and answer; a body of bytes is sent as it is. Gone: there was no answer."""
        sent = {"Accept": "application/json", **(headers or {})}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            self._connection.request(method, path, content, sent)
            response = self._connection.getresponse()
            text = response.read().decode(errors="backslashreplace")  # a workbook is no text
        except (OSError, HTTPException) as trouble:
            self._connection.close()
            raise Gone(repr(trouble)) from trouble
        return Answer(status=response.status, headers=response.headers, text=text)

    def post(self, path: str, body: object, **headers: str) -> Answer:
        """POST below the API's path; of a header's name `_` stands for `-`."""
        return self.ask("POST", API + path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def get(self, path: str) -> Answer:
        """GET below the API's path."""
        return self.ask("GET", API + path)

    def pages(self, query: str = "") -> list[dict[str, Any]]:
        """Answer all records of the log that a query of `gonderimler` finds, newest first."""
        rows: list[dict[str, Any]] = []
        after = ""
        while True:
            answer = self.get(f"/gonderimler?limit=200&{query}{after}")
            assert answer.status == 200, answer.text
            page = answer.json
            rows += page["data"]
            if page["sonraki"] is None:
                return rows
            after = f"&sonra={page['sonraki']}"

    def set_gap(self, seconds: float, *accounts: int) -> None:
        """Let accounts keep this gap between any two sends."""
        gap = {"en_az": seconds, "en_cok": seconds}
        for account in accounts:
            changed = self.ask("PATCH", f"{API}/hesaplar/{account}", {"araliklar": {"tekli": gap, "toplu": gap}})
            assert changed.status == 200, changed.text

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How a start failed: the exit code, and the words."""

    code: int
    said: str


class Screen:
    """What a terminal shows, and keeps in a log."""

    def __init__(self, terminal: int, log: Path) -> None:
        self._log = log
        log.touch()
        self._reader = threading.Thread(target=self._read, args=(terminal,))
        self._reader.start()

    def _read(self, terminal: int) -> None:
        with self._log.open("wb", buffering=0) as log, suppress(OSError):  # EIO: nobody holds the other end any more
            while shown := os.read(terminal, 4096):
                log.write(shown)
        os.close(terminal)

    def close(self) -> None:
        """Wait until everything is read: the process has ended."""
        self._reader.join()

    @property
    def text(self) -> str:
        return self._log.read_text("utf-8").replace("\r\n", "\n")


class Server:
    """One data folder and the process that serves it, if one does. Its port stays the same over all starts."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.desk = folder.with_name(f"{folder.name}-said")
        self.desk.mkdir()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GUVERCIN_")},
            "GUVERCIN_DATA_DIR": str(folder),
            "GUVERCIN_LANG": "en",
            "no_proxy": "127.0.0.1",
            **environment,
        }
        self.process: Hatched | subprocess.Popen[bytes] | None = None
        self._runs = 0
        self._clients: list[Client] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._clients:
            client.close()
        self.kill()
        print(self.said("err")[-8_000:])  # noqa: T201 -- pytest shows it beside a failure

    # -- its life

    def spawn(self, *options: str, before: Sequence[str] = ()) -> None:
        """Start the process and don't wait for it. `before` is a program that runs it in its own way."""
        assert self.process is None, "it runs already"
        self._runs += 1
        with self._log("out").open("wb") as out, self._log("err").open("wb") as err:
            words = ["baslat", "--port", str(self.port), *options]
            if before or not can_be_hatched(self.environment):
                command = [*before, *GUVERCIN, *words]
                self.process = subprocess.Popen(
                    command, cwd=self.desk, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err
                )
            else:
                self.process = self._hatch(words, out, err, self.environment)

    def spawn_in_terminal(self, *options: str) -> "Screen":
        """Start the process as somebody does who sits before it, and answer what that person sees."""
        self._runs += 1
        ours, theirs = os.openpty()
        try:
            watched = {**self.environment, "TERM": "xterm", "COLUMNS": "100"}
            assert self.process is None, "it runs already"
            self.process = subprocess.Popen(
                [*GUVERCIN, "baslat", "--port", str(self.port), *options],
                cwd=self.desk,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env=watched,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        return Screen(ours, self._log("out"))

    def _hatch(self, words: Sequence[str], out: IO[bytes], err: IO[bytes], environment: Mapping[str, str]) -> Hatched:
        with Path(os.devnull).open("rb") as nothing:
            streams = [nothing.fileno(), out.fileno(), err.fileno()]
            return nest().hatch(words, streams=streams, cwd=self.desk, environment=environment)

    def refuses(self, *options: str, before: Sequence[str] = (), **environment: str) -> "Refusal":
        """Start where the start must fail, and answer what is said then. See `cli`."""
        done = self.cli("baslat", "--port", str(self.port), *options, before=before, **environment)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stderr, done.stderr
        return Refusal(code=done.returncode, said=done.stderr)

    def start(self, *options: str, before: Sequence[str] = ()) -> float:
        """Start, and answer after how many seconds it was ready."""
        began = monotonic()
        self.spawn(*options, before=before)
        self.until(self.is_ready, within=START_LIMIT, what="readiness")
        return monotonic() - began

    def is_ready(self) -> bool:
        client = Client(self.port, timeout=5)
        try:
            return client.ask("GET", "/hazir").status == 200
        except Gone:
            return False
        finally:
            client.close()

    def send_signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self, *, within: float) -> int:
        """Wait for its end, and answer the exit code."""
        assert self.process is not None
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end within {within} s\n{self.said()}") from None
        self.process = None
        return code

    def kill(self) -> None:
        """End it as a power cut of its own: no handler runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def live(self, seconds: float) -> None:
        """Let it do what it does for that long. It must not end by itself."""
        assert self.process is not None
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"it ended by itself, with {code}\n{self.said()}")

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = 15.0) -> int:
        """Ask it to end, and answer its exit code."""
        self.send_signal(number)
        return self.ended(within=within)

    def until(self, condition: Callable[[], bool], *, within: float, what: str) -> None:
        """Wait until something holds. Fails when the server that runs ends meanwhile."""
        deadline = monotonic() + within
        while not condition():
            if monotonic() > deadline:
                raise AssertionError(f"{what} did not come within {within} s\n{self.said()}")
            assert self.process is not None
            try:
                code = self.process.wait(POLL)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"it ended with {code} before {what} came\n{self.said()}")

    def limit_files(self, size: int) -> None:
        """Let no file that it writes grow beyond `size` bytes; -1 takes the limit away."""
        assert self.process is not None
        _, most = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (most if size < 0 else size, most))

    # -- what it says and holds

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def arrivals(self) -> Path:
        """The sandbox's ledger: what has arrived, as the world sees it."""
        return self.folder / "sandbox.jsonl"

    def _log(self, kind: str) -> Path:
        return self.desk / f"{self._runs:03}.{kind}"

    def said(self, kind: str = "*") -> str:
        """Everything that every run has written to its streams (`out`, `err`)."""
        logs = [log for log in sorted(self.desk.glob(f"*.{kind}")) if log.stat().st_size]
        return "\n".join(f"-- {log.name}\n{log.read_text('utf-8', 'replace')}" for log in logs)

    def printed(self) -> str:
        """What the present run has written to stdout."""
        return self._log("out").read_text("utf-8")

    def client(self, token: str, *, timeout: float = 60.0) -> Client:
        """Open a connection; it is closed with the test."""
        self._clients.append(Client(self.port, token, timeout=timeout))
        return self._clients[-1]

    def cli(self, *words: str, before: Sequence[str] = (), **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the program on the same data folder. `before` is a program that runs it in its own way."""
        own = {**self.environment, **environment}
        if before or not can_be_hatched(own):
            return subprocess.run(
                [*before, *GUVERCIN, *words],
                env=own,
                cwd=self.desk,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                timeout=120,
                check=False,
            )
        with TemporaryFile() as out, TemporaryFile() as err:
            process = self._hatch(words, out, err, own)
            try:
                code = process.wait(120)
            finally:
                process.kill()
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(words, code, out.read().decode(), err.read().decode())

    def told(self, *words: str) -> dict[str, Any]:
        """Run a command that must succeed, and answer its JSON."""
        done = self.cli(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def token(self, permissions: str = EVERYTHING) -> str:
        """Make a token on the command line."""
        secret = self.told("anahtar", "uret", "--ad", "kasa", "--yetki", permissions)["anahtar"]
        assert isinstance(secret, str)
        return secret

    def first_token(self) -> str:
        """Read the token that the first start has left for its owner."""
        return (self.folder / "ilk-anahtar.txt").read_text().strip()


def free_port() -> int:
    """Find a port that nobody listens on."""
    while True:
        port = SystemRandom().choice(_PORTS)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
