"""A power cut at any moment: what was acknowledged is there afterwards, nothing is half there, the database is sound.

A process that is killed says nothing of it: its writes live on in the kernel. Here a file system of our own forgets,
keeps or tears whatever was not synced. It runs in a process of its own, where apsw's copy of SQLite is the only one.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Figures
from tests.rounds import rounds
from tests.store.children import child

LIVES = Path(__file__).with_name("power_cut.py")
CUTS = 10
LIVES_EACH = rounds(15, 500)
"""Two of these: 300 cuts and more in `make test`, 10,000 in `make long`."""


def live(folder: Path, first: int, end: int, *control: str) -> dict[str, Any]:
    process = child(LIVES, folder, "--seeds", f"{first}:{end}", "--cuts", CUTS, *control)
    told, trouble = process.communicate()
    assert told, trouble
    answer: dict[str, Any] = json.loads(told)
    assert process.returncode == ("broken" in answer), trouble
    return answer


@pytest.mark.parametrize("half", [0, 1])
def test_no_power_cut_breaks_a_promise(tmp_path: Path, figures: Figures, half: int) -> None:
    first = half * LIVES_EACH
    told = live(tmp_path, first, first + LIVES_EACH)
    seed = told.get("seed", 0)
    replay = f"PYTHONPATH=. python {LIVES} FOLDER --seeds {seed}:{seed + 1} --cuts {CUTS}"
    assert "broken" not in told, f"{told['broken']}\nreplay: {replay}"
    counts, during = told["counts"], told["during"]
    assert counts["cuts"] >= LIVES_EACH * CUTS
    assert counts["cuts in a commit"] >= counts["cuts"] // 4
    assert counts["cuts while it recovered"]
    assert counts["cuts while it was made"]
    # The commit, the copying of the WAL into the database, the end and the beginning of a WAL: each was cut off.
    assert {"write wal", "sync wal", "write database", "sync database", "delete wal", "create wal"} <= during.keys()
    figures(**{word.replace(" ", "_"): count for word, count in counts.items()})


@pytest.mark.parametrize(
    ("control", "why"),
    [
        ("off", "nothing is ever synced"),
        ("normal", "a commit does not wait for its sync"),
        ("lie", "the disk says yes and does nothing"),
    ],
)
def test_the_laws_break_where_a_promise_is_not_kept(tmp_path: Path, control: str, why: str) -> None:
    """The measure itself: where less is synced than the store asks for, the first lives see it."""
    assert "broken" in live(tmp_path, 0, 5, "--control", control), why
