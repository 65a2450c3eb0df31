"""One worker process and the seats in it: started, spoken to, and ended for certain.

Laws
1. A child that has ended is reaped before anybody is told: whatever it was doing, it does no more.
2. `stop` asks, waits, then kills. It never takes longer than its limit, and it leaves no process behind. `leave` does
   the same for one account: what can't be closed in time takes the whole process with it.
3. What the library prints is thrown away, for it may hold numbers; of a crash the first line is kept, digits masked.
"""

import asyncio
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from guvercin.transports.web import protocol as p

COMMAND = (sys.executable, "-m", "guvercin.transports.web.worker")

HELLO_LIMIT = 30.0
"""Seconds that a worker gets to load the library and say hello."""

STOP_LIMIT = 4.5
"""Seconds from asking a worker to stop until it is killed."""

_LONGEST_LINE = 1024 * 1024
_CRASH = re.compile(rb"^(panic: |fatal error: |SIG[A-Z]+: |[A-Za-z]*Error: ).*")

_log = logging.getLogger(__name__)


class ChildGoneError(Exception):
    """The worker has ended: what it was asked may or may not have been done."""


class Child:
    """A running worker."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.gone = asyncio.Event()
        """Set once the process is reaped."""
        self._process = process
        self._seats: dict[str, Seat] = {}
        self._calls: dict[int, asyncio.Future[p.Answer]] = {}
        self._ids = count(1)
        self._unanswered: set[int] = set()
        self._hello: asyncio.Future[p.Hello] = asyncio.get_running_loop().create_future()
        self._last_words = ""
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_crash())]

    @classmethod
    async def start(cls, root: Path, *, environment: Mapping[str, str], command: Sequence[str] = COMMAND) -> "Child":
        """Start a worker on the folder of all accounts and hear its hello. ChildGoneError: it can't run here."""
        process = await asyncio.create_subprocess_exec(
            *command,
            str(root),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            limit=_LONGEST_LINE,
            start_new_session=True,  # Ctrl+C at the terminal is for the gateway, which stops its workers in order
        )
        child = cls(process)
        try:
            async with asyncio.timeout(HELLO_LIMIT):
                hello = await child._hello
        except TimeoutError:
            await child.kill()
            raise ChildGoneError("no hello") from None
        except BaseException:
            await child.kill()
            raise
        if hello.version != p.VERSION:
            await child.kill()
            raise ChildGoneError(f"protocol {hello.version}")
        return child

    def seat(self, name: str) -> "Seat":
        """Answer a seat for the account of this name. It is the only one of that name until it is left."""
        seat = self._seats[name] = Seat(self, name)
        return seat

    async def call(self, seat: str, ask: Callable[[int], p.Command], *, limit: float) -> p.Answer:
        """Ask for a seat and await the answer. TimeoutError: it may still come, and is thrown away. ChildGoneError."""
        number = next(self._ids)
        if self.gone.is_set():
            raise ChildGoneError
        answer = self._calls[number] = asyncio.get_running_loop().create_future()
        self._unanswered.add(number)
        try:
            self.post(ask(number), seat)
            async with asyncio.timeout(limit):
                return await asyncio.shield(answer)
        finally:
            if not answer.done():
                answer.cancel()
            self._calls.pop(number, None)

    def post(self, command: p.Command, seat: str = "") -> None:
        """Say something that is not answered."""
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(p.encode(command, seat))

    def is_at_work_on(self, number: int) -> bool:
        """Say whether a call has neither been answered, waited for or not, nor ended with the process."""
        return number in self._unanswered and not self.gone.is_set()

    def next_id(self) -> int:
        """Answer a number for a command that is posted."""
        return next(self._ids)

    async def stop(self) -> None:
        """Let the worker close its connections, and see to its end. Cancelled meanwhile, it is killed."""
        try:
            self.post(p.Stop())
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_LIMIT):
                    await self.gone.wait()
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End the process now, and reap it."""
        self._kill()
        try:
            await asyncio.shield(asyncio.gather(*self._tasks, return_exceptions=True))
        finally:
            for task in self._tasks:
                task.cancel()

    def _kill(self) -> None:
        # Not Process.kill: it looks whether the process has ended, and thereby reaps it before its keeper does.
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def _read(self) -> None:
        stdout = self._process.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                self._hear(*p.decode_from_worker(line))
        except (p.ProtocolError, ValueError) as trouble:
            _log.warning("worker_not_understood", extra={"trouble": str(trouble)})
        finally:
            self._kill()
            status = await self._process.wait()
            self.gone.set()
            for seat in self._seats.values():
                seat.left.set()
            why = ChildGoneError(self._last_words or f"status {status}")
            _fail(self._hello, why)
            for call in self._calls.values():
                _fail(call, why)
            if self._process.stdin is not None:
                with suppress(OSError):  # what was said last may have met a closed door: the calls have heard of it
                    await self._process.stdin.wait_closed()

    def _hear(self, name: str, word: p.Answer | p.Report) -> None:
        match word:
            case p.Hello():
                if not self._hello.done():
                    self._hello.set_result(word)
            case p.Sent() | p.Failed() | p.PairingCode() | p.Checked() | p.Done() | p.Pong():
                self._unanswered.discard(word.id)
                answer = self._calls.get(word.id)
                if answer is not None and not answer.done():
                    answer.set_result(word)
            case _ if (seat := self._seats.get(name)) is not None:
                seat.hear(word)
            case _:  # an echo of an account that has left
                pass

    async def _read_crash(self) -> None:
        stderr = self._process.stderr
        while stderr is not None:
            try:
                line = await stderr.readline()
            except ValueError:  # longer than any line that we want
                continue
            if not line:
                return
            if not self._last_words and _CRASH.match(line):
                self._last_words = re.sub(r"\d{5,}", "*", line.decode(errors="replace").strip())[:200]
                _log.error("worker_crashed", extra={"last_words": self._last_words})


class Seat:
    """One account's place in a worker: what is said here is for it, and what is heard here is of it."""

    def __init__(self, child: Child, name: str) -> None:
        self.child = child
        self.bell = asyncio.Event()
        """Rung when the journal may have grown."""
        self.left = asyncio.Event()
        """Set once nothing of the account goes on there: it was left, or the process is reaped."""
        self.bell.set()
        self.holds = False
        """Whether the account's folder is the worker's: nobody else writes there."""
        self.name = name
        self._reports: asyncio.Queue[p.Report] = asyncio.Queue()

    async def next_report(self, limit: float | None) -> p.Report | None:
        """Answer the next report; null when the worker is gone and has nothing more to tell, or the time is up."""
        if not self._reports.empty():
            return self._reports.get_nowait()
        get = asyncio.ensure_future(self._reports.get())
        gone = asyncio.ensure_future(self.child.gone.wait())
        try:
            await asyncio.wait((get, gone), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            return get.result() if get.done() else None
        finally:
            get.cancel()
            gone.cancel()
            await asyncio.gather(get, gone, return_exceptions=True)

    def hear(self, word: p.Report) -> None:
        """Take what was told of this account. What the library does without a word is put in by hand, here as well."""
        match word:
            case p.Bell():
                self.bell.set()
            case p.Left():
                self.left.set()
            case p.Holds():
                self.holds = True
                self._reports.put_nowait(word)
            case _:
                self._reports.put_nowait(word)

    async def call(self, ask: Callable[[int], p.Command], *, limit: float) -> p.Answer:
        """Ask and await the answer. TimeoutError: it may still come, and is thrown away then. ChildGoneError."""
        return await self.child.call(self.name, ask, limit=limit)

    def dial(self, jid: str | None, until: float | None) -> None:
        """Let the account's connection begin. `jid` and `until` as in Connect."""
        self.child.post(p.Connect(id=self.child.next_id(), jid=jid, until=until), self.name)

    def prolong(self, until: float) -> None:
        """Let the account be used until this moment of the machine's monotonic clock."""
        self.child.post(p.Prolong(until=until), self.name)

    def is_at_work_on(self, number: int) -> bool:
        """Say whether a call has neither been answered, waited for or not, nor ended with the process."""
        return self.child.is_at_work_on(number)

    async def leave(self) -> None:
        """Let the account's connection close; the others in this worker stay. Cancelled meanwhile, all are killed."""
        try:
            self.child.post(p.Leave(), self.name)
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_LIMIT):
                    await self.left.wait()
        finally:
            if not self.left.is_set():
                await self.child.kill()


def _fail(answer: asyncio.Future[Any], why: Exception) -> None:
    if not answer.done():
        answer.set_exception(why)
        answer.exception()  # nobody need be waiting for it
