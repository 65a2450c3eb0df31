"""The ledger counts what has arrived, whatever happens to the disk and to the process."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.transports import ledger as ledger_module
from guvercin.transports.ledger import KEPT, Arrival, Ledger, arrivals

NOW = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)


def arrival(number: int, *, account_id: int = 1, at: datetime = NOW) -> Arrival:
    secret = sha256(str(number).encode()).digest()
    return Arrival(
        account_id=account_id,
        message_id=number,
        number="+905000000001",
        remote_id=f"DENEME-{number:016X}",
        secret=secret,
        at=at,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.jsonl"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(path, now=NOW)
    yield ledger
    ledger.close()


def reopen(path: Path, now: datetime = NOW) -> list[str]:
    """Open the ledger as the next process does, and answer what it still has to tell."""
    ledger = Ledger(path, now=now)
    ledger.close()
    return [arrival.remote_id for arrival in ledger.unfinished(1)]


def test_it_is_private_and_holds_what_it_was_given(path: Path, ledger: Ledger) -> None:
    ledger.append(arrival(1))
    assert path.stat().st_mode & 0o777 == 0o600
    assert arrivals(path) == [arrival(1)]
    assert path.read_text() == (
        '{"account":1,"message_id":1,"number":"+905000000001","remote_id":"DENEME-0000000000000001",'
        f'"secret":"{arrival(1).secret.hex()}","at":"2026-02-23T11:30:00Z"}}\n'
    )


def test_it_finds_an_attempt_by_its_secret(ledger: Ledger) -> None:
    ledger.append(arrival(1))
    ledger.append(arrival(2))
    assert ledger.find(arrival(1).secret) == arrival(1)
    assert ledger.find(arrival(3).secret) is None


@pytest.mark.parametrize("block", [1, 50, 211, 422, 1000, 100_000])
def test_an_arrival_is_found_wherever_the_blocks_of_reading_end(
    monkeypatch: pytest.MonkeyPatch,
    ledger: Ledger,
    block: int,
) -> None:
    monkeypatch.setattr(ledger_module, "_BLOCK", block)
    for number in range(30):
        ledger.append(arrival(number))
    for number in range(30):
        assert ledger.find(arrival(number).secret) == arrival(number)
    assert ledger.find(arrival(30).secret) is None


# -- lines that were torn


def test_wherever_the_file_ends_only_whole_lines_count(path: Path, ledger: Ledger) -> None:
    for number in range(3):
        ledger.append(arrival(number))
    ledger.finish([arrival(0).remote_id])
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        count = whole[:end].count(b"\n")
        expected = [arrival(number) for number in range(min(count, 3))]
        assert arrivals(path) == expected, f"cut at byte {end}"
        assert ledger.find(arrival(2).secret) == (arrival(2) if count > 2 else None)
        told = {arrival(0).remote_id} if count == 4 else set()
        assert reopen(path) == [it.remote_id for it in expected if it.remote_id not in told], f"cut at byte {end}"
        assert path.read_bytes() == b"".join(lines[:count]), f"cut at byte {end}"


def test_a_tail_without_any_newline_is_cut_off(path: Path) -> None:
    path.write_bytes(b"x" * 3 * ledger_module._BLOCK)
    assert reopen(path) == []
    assert path.read_bytes() == b""


def test_lines_of_others_are_passed_over(path: Path) -> None:
    path.write_text('note\n[]\n{"secret":1}\n{"secret":"zz","account":1}\n\x00\x00\n{"stumbled":"x"}\n')
    assert reopen(path) == []
    ledger = Ledger(path, now=NOW)
    ledger.append(arrival(1))
    ledger.close()
    assert arrivals(path) == [arrival(1)]


def test_on_a_full_disk_nothing_arrives_and_the_next_line_is_whole(path: Path, ledger: Ledger) -> None:
    """RLIMIT_FSIZE makes write(2) short at that size, and then fail, as a full disk does."""
    ledger.append(arrival(1))
    whole = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (1, 30, len(whole) - 1, 0):
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + room, hard))
        try:
            with pytest.raises(OSError, match=r"space|large"):
                ledger.append(arrival(2))
            if room <= 30:
                with pytest.raises(OSError, match=r"space|large"):
                    ledger.stumble(1, 7, NOW)
                ledger.finish(["DENEME-OF-NOBODY"])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == whole, f"with room for {room} bytes"
        assert [it.remote_id for it in ledger.unfinished(1)] == [arrival(1).remote_id]
        assert not ledger.has_stumbled(1, 7)
    ledger.append(arrival(2))
    assert arrivals(path) == [arrival(1), arrival(2)]
    assert reopen(path) == [arrival(1).remote_id, arrival(2).remote_id]


def test_a_torn_line_that_could_not_be_cut_is_cut_before_the_next(path: Path, ledger: Ledger) -> None:
    ledger.append(arrival(1))
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"account":1,"mess')
    ledger._torn_at = whole
    ledger.append(arrival(2))
    assert arrivals(path) == [arrival(1), arrival(2)]


def test_a_closed_ledger_writes_nowhere(path: Path) -> None:
    ledger = Ledger(path, now=NOW)
    ledger.close()
    other = os.open(path.with_name("other"), os.O_RDWR | os.O_CREAT)  # takes the number of the closed file
    with pytest.raises(OSError, match="Bad file descriptor"):
        ledger.append(arrival(1))
    assert os.fstat(other).st_size == 0
    os.close(other)


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from guvercin.transports.ledger import Arrival, Ledger
now = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)
ledger = Ledger(Path(sys.argv[1]), now=now)
for number in range(1_000_000):
    remote_id = f"DENEME-{number:016X}"
    ledger.append(Arrival(account_id=1, message_id=number, number="+905000000001", remote_id=remote_id,
                          secret=number.to_bytes(32, "big"), at=now))
    print(remote_id, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_answered(path: Path) -> None:
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        answered = [writer.stdout.readline() for _ in range(500)]
        writer.kill()
        answered += [line for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        writer.stdout.close()
        reopened = set(reopen(path))
        assert {line.strip() for line in answered} <= reopened
        assert path.read_bytes().endswith(b"\n")


# -- what is still open


def test_a_stumble_is_remembered_until_its_message_arrives(path: Path, ledger: Ledger) -> None:
    ledger.stumble(1, 42, NOW)
    assert ledger.has_stumbled(1, 42)
    assert not ledger.has_stumbled(2, 42)
    ledger.append(arrival(7))
    ledger.finish([arrival(7).remote_id])
    later = Ledger(path, now=NOW)
    assert later.has_stumbled(1, 42)
    later.append(arrival(42))
    assert not later.has_stumbled(1, 42)
    later.close()
    much_later = Ledger(path, now=NOW + KEPT)
    assert not much_later.has_stumbled(1, 42)
    much_later.close()


def test_neither_stories_nor_stumbles_hide_each_other(path: Path, ledger: Ledger) -> None:
    ledger.stumble(1, 41, NOW)
    ledger.append(arrival(1))
    ledger.stumble(1, 42, NOW)
    ledger.append(arrival(2))
    ledger.finish([arrival(2).remote_id])
    later = Ledger(path, now=NOW)
    assert later._open == ledger._open
    ledger.append(arrival(41))
    ledger.finish([arrival(41).remote_id])
    later.close()
    later = Ledger(path, now=NOW)
    assert [it.remote_id for it in later.unfinished(1)] == [arrival(1).remote_id]
    assert later._open == ledger._open
    later.close()


def test_opening_reads_from_the_oldest_open_story_on(path: Path, ledger: Ledger) -> None:
    for number in range(100):
        ledger.append(arrival(number))
        ledger.finish([arrival(number).remote_id])
    assert ledger_module._all_over_before(path) > path.stat().st_size - 200
    ledger.append(arrival(100))
    begin = path.stat().st_size
    for number in range(101, 200):
        ledger.append(arrival(number))
        ledger.finish([arrival(number).remote_id])
    assert ledger_module._all_over_before(path) < begin
    assert reopen(path) == [arrival(100).remote_id]


def test_a_story_that_nobody_heard_for_long_is_dropped(path: Path, ledger: Ledger) -> None:
    ledger.append(arrival(1))
    assert reopen(path, NOW + KEPT - timedelta(seconds=1)) == [arrival(1).remote_id]
    assert reopen(path, NOW + KEPT) == []


steps = st.lists(st.tuples(st.sampled_from(["arrive", "finish", "restart"]), st.integers(0, 9)), max_size=40)


@given(steps)
def test_however_it_is_reopened_it_knows_what_is_open(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int]],
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "sandbox.jsonl"
    ledger = Ledger(path, now=NOW)
    still_open: dict[str, None] = {}
    arrived = []
    for step, number in steps:
        it = arrival(number)
        match step:
            case "arrive":
                ledger.append(it)
                arrived.append(it)
                still_open.setdefault(it.remote_id)
            case "finish":
                ledger.finish([it.remote_id])
                still_open.pop(it.remote_id, None)
            case _:
                ledger.close()
                ledger = Ledger(path, now=NOW)
        assert [found.remote_id for found in ledger.unfinished(1)] == list(still_open)
    ledger.close()
    assert reopen(path) == list(still_open)
    assert arrivals(path) == arrived


# -- growth


@pytest.fixture
def small_room(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(ledger_module, "ROOM", 10_000)
    return 10_000


def fill(path: Path, *, old: int, young: int) -> None:
    ledger = Ledger(path, now=NOW)
    for number in range(old + young):
        ledger.append(arrival(number, at=NOW - KEPT if number < old else NOW - KEPT + timedelta(seconds=1)))
    ledger.finish([arrival(number).remote_id for number in range(old + young) if number % 10])
    ledger.close()


@pytest.mark.usefixtures("small_room")
def test_a_large_file_loses_what_is_old_and_nothing_else(path: Path) -> None:
    fill(path, old=90, young=30)
    assert reopen(path) == [arrival(number).remote_id for number in (90, 100, 110)]
    assert arrivals(path) == [arrival(number, at=NOW - KEPT + timedelta(seconds=1)) for number in range(90, 120)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert reopen(path) == [arrival(number).remote_id for number in (90, 100, 110)]


@pytest.mark.usefixtures("small_room")
def test_a_shortened_file_still_knows_where_its_open_stories_begin(path: Path) -> None:
    ledger = Ledger(path, now=NOW)
    for number in range(120):
        ledger.append(arrival(number, at=NOW - KEPT if number < 90 else NOW))
        if number != 91:
            ledger.finish([arrival(number).remote_id])
    ledger.close()
    assert reopen(path) == [arrival(91).remote_id]
    assert len(arrivals(path)) == 30


@pytest.mark.usefixtures("small_room")
def test_a_large_file_of_young_arrivals_is_left_alone(path: Path) -> None:
    fill(path, old=30, young=90)
    before = path.read_bytes()
    reopen(path)
    assert path.read_bytes() == before


@pytest.mark.usefixtures("small_room")
def test_a_large_file_of_old_arrivals_alone_becomes_empty(path: Path) -> None:
    fill(path, old=120, young=0)
    assert reopen(path) == []
    assert arrivals(path) == []
    ledger = Ledger(path, now=NOW)
    ledger.append(arrival(1))
    ledger.close()
    assert reopen(path) == [arrival(1).remote_id]


def test_a_small_file_keeps_what_is_old(path: Path) -> None:
    fill(path, old=90, young=0)
    reopen(path)
    assert len(arrivals(path)) == 90


@pytest.mark.usefixtures("small_room")
def test_a_file_that_cannot_be_shortened_stays_as_it_is(path: Path) -> None:
    fill(path, old=120, young=1)
    path.with_suffix(".shorter").mkdir()  # the new file can't be written
    before = path.read_bytes()
    reopen(path)
    assert path.read_bytes() == before
