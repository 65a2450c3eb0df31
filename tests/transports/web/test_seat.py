"""A seat whose disk is in trouble, in a process of its own: it is the engine's, and may have to end."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.testing.whatsapp.driving import why_there_is_no_engine

if reason := why_there_is_no_engine():
    pytest.skip(reason, allow_module_level=True)

SEAT = """
import resource, sys
from pathlib import Path
from guvercin.transports.web import protocol as p
from guvercin.transports.web.deadline import Deadline
from guvercin.transports.web.seat import Seat, now

folder = Path(sys.argv[1])
seat = Seat(folder, lambda word: None, Deadline(lambda: 0.0, lambda: None))
"""


def play(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", SEAT + code, folder], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "entry", ["SecretNotKept(at=now())", "Answered(secret=bytes(32), remote_id='3A', error=None, at=now())"]
)
def test_a_process_whose_journal_takes_nothing_more_ends(tmp_path: Path, entry: str) -> None:
    done = play(
        tmp_path,
        f"""
assert seat._hold()
seat.keep(p.{entry})
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
seat.keep(p.{entry})
print("it lives on")
""",
    )
    assert (done.returncode, done.stdout) == (3, ""), done.stderr


def test_a_folder_whose_journal_can_not_be_opened_is_let_go(tmp_path: Path) -> None:
    done = play(
        tmp_path,
        """
(folder / "journal").write_text("in the way")
try:
    seat._hold()
except OSError as trouble:
    print(type(trouble).__name__)
(folder / "journal").unlink()
print(seat._hold())
""",
    )
    assert (done.returncode, done.stdout) == (0, "FileExistsError\nTrue\n"), done.stderr
