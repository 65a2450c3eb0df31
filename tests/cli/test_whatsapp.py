"""`deneme-sunucusu` as somebody uses it: the real engine is linked to it by pasting its code."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from tests.cli.running import Guvercin
from tests.testing.whatsapp.driving import Engine, Surroundings, quick_folder, why_there_is_no_engine

if reason := why_there_is_no_engine():
    pytest.skip(reason, allow_module_level=True)

PHONE = "+905301112233"


class Running:
    """The command in a process of its own, and what it has printed."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder / "server"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GUVERCIN_")}
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "guvercin", "--veri", str(folder / "data")),
                *("test-server", "--klasor", str(self.folder), *options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env={**environment, "GUVERCIN_LANG": "en", "PYTHONUNBUFFERED": "1"},
        )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def line(self, part: str) -> str:
        """Answer the next line that holds a text. AssertionError: it ended before it said so."""
        before = []
        out: IO[str] = self._process.stdout  # type: ignore[assignment] # it is a pipe
        for line in out:
            if part in line:
                return line.rstrip("\n")
            before.append(line)
        raise AssertionError(f"it never said «{part}»: {''.join(before)}")

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def end(self) -> int:
        """Answer the exit code of a command that ends by itself."""
        self._process.communicate(timeout=20)
        return self._process.returncode

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self.end()


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Running] = []

    def begin(*options: str) -> Running:
        started.append(Running(tmp_path, *options))
        return started[-1]

    yield begin
    for each in started:
        if each.is_running:
            each.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as quick:
        yield quick


async def test_link_write_read_and_end(start: Start, folder: Path) -> None:
    server = start("--yok", "+905321110000")
    assert PHONE in server.line("The phone in this terminal")
    assert str(server.folder) in server.line("export GUVERCIN_WHATSAPP_TEST_SERVER=")
    server.line("end everything")
    environment = json.loads((server.folder / "environment.json").read_text("utf-8"))
    engine = Engine(Surroundings(folder, environment))
    await engine.start()
    try:
        await engine.ask("a", "connect")
        server.type("https://wa.me/settings/linked_devices#stale")
        server.line("Not linked: This is not a code that a client shows now.")
        server.type(await engine.event("a", "code"))
        server.line("Linked: device 1.")
        await engine.event("a", "Connected")
        sent = await engine.ask("a", "send", to="905321110022", text="Merhaba")
        assert server.line("«Merhaba»").endswith("+905321110022 ← «Merhaba»")
        await engine.event("a", "Receipt", where=lambda it: (it["Type"], it["MessageIDs"]) == ("READ", [sent["ID"]]))
        server.type("write +905321110022 Selam")
        heard = await engine.event("a", "Message")
        assert heard["Message"]["conversation"] == "Selam"
        found = await engine.ask("a", "look_up", numbers=["+905321110000", "+905321110033"])
        assert [bool(one.get("IsIn")) for one in found] == [False, True]
        server.type("unlink")
        await engine.event("a", "LoggedOut")
        server.type("quit")
        server.line("has ended")
    finally:
        await engine.kill()
    assert server.end() == 0
    assert not server.folder.exists()


def test_one_server_a_folder(start: Start) -> None:
    first = start()
    first.line("end everything")
    second = start()
    assert "already" in second.line("Error:")
    assert second.end() == 1
    assert first.stop() == 0


def test_a_folder_with_something_else_in_it_stays(guvercin: Guvercin, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    told = guvercin("deneme-sunucusu", "--klasor", str(tmp_path / "mine"), code=1)
    assert "is not empty" in told.err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_phones_of_the_real_whatsapp_are_not_touched(guvercin: Guvercin) -> None:
    (guvercin.data_dir / "web" / "2").mkdir(parents=True)
    told = guvercin("deneme-sunucusu", code=2)
    assert "linked to the real WhatsApp" in told.err
    assert "--veri FOLDER" in told.err


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--telefon", "05xx"), "«05xx» is no phone number."),
        (("--yok", "hayır"), "«hayır» is no phone number."),
        (("--ariza", "/nowhere/plan.json"), "The plan /nowhere/plan.json can't be used"),
    ],
)
def test_what_is_written_wrongly_is_said(guvercin: Guvercin, options: tuple[str, ...], what: str) -> None:
    assert what in guvercin("deneme-sunucusu", *options, code=2).err


def test_a_plan_that_makes_no_sense_is_said(guvercin: Guvercin, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('[{"at": "login", "act": "forged"}]')
    assert "«forged»" in guvercin("deneme-sunucusu", "--ariza", str(plan), code=2).err


def test_it_runs_where_nobody_can_type(tmp_path: Path) -> None:
    """In the background its standard input is nothing, or a file whose lines are done and that is all."""
    commands = tmp_path / "commands"
    commands.write_text("uzakta 1\ncik\n", encoding="utf-8")
    with commands.open("rb") as typed:
        done = subprocess.run(
            [sys.executable, "-m", "guvercin", "test-server", "--klasor", str(tmp_path / "server")],
            stdin=typed,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "GUVERCIN_LANG": "en", "GUVERCIN_DATA_DIR": str(tmp_path / "data")},
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
