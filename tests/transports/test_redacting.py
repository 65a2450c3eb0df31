"""Words that are taken out of append-only files: no byte moves, and nobody's place is lost."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from guvercin.transports.ledger import Arrival, Ledger, arrivals
from guvercin.transports.redacting import redact_lines
from guvercin.transports.web import protocol as p
from guvercin.transports.web.journal import Journal, Place, Reader, redact

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
NUMBER, OTHER = "+905321234567", "+905331234567"


def arrival(number: str, n: int) -> Arrival:
    return Arrival(account_id=1, message_id=n, number=number, remote_id=f"DENEME-{n}", secret=bytes([n]) * 32, at=NOW)


def test_the_sandbox_forgets_a_number_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.jsonl"
    ledger = Ledger(path, now=NOW)
    for n, number in enumerate((NUMBER, OTHER, NUMBER)):
        ledger.append(arrival(number, n))
    ledger.finish(["DENEME-0"])
    size = path.stat().st_size
    assert ledger.redact(NUMBER) == 2
    assert (path.stat().st_size, NUMBER[1:].encode() in path.read_bytes()) == (size, False)
    ledger.append(arrival(NUMBER, 3))
    ledger.close()
    again = Ledger(path, now=NOW)
    assert [each.remote_id for each in again.unfinished(1)] == ["DENEME-1", "DENEME-2", "DENEME-3"]
    assert [each.number for each in arrivals(path)] == ["0" * 13, OTHER, "0" * 13, NUMBER]
    assert again.find(bytes([2]) * 32) is not None
    again.close()


def test_a_journal_forgets_what_is_stored_and_keeps_what_is_not(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for n, sender in enumerate((NUMBER, OTHER, NUMBER)):
        journal.append(p.Wrote(remote_id=f"W-{n}", sender=sender, text='Gizli "söz"', at=NOW))
    journal.close()
    reader = Reader(tmp_path)
    told = reader.read(10)
    reader.mark(told[1].after)
    (segment,) = tmp_path.glob("*.jsonl")
    size = segment.stat().st_size
    assert redact(tmp_path, NUMBER) == 1
    assert segment.stat().st_size == size
    first, second = Reader(tmp_path), Reader(tmp_path)
    assert [read.entry for read in first.read(10)] == [told[2].entry], "what is not stored yet is whole"
    second._mark = Place(0, 0)
    kept = [read.entry for read in second.read(10)]
    assert isinstance(kept[0], p.Wrote)
    assert (kept[0].remote_id, kept[0].text.strip(), NUMBER[3:] in kept[0].sender) == ("W-0", "", False)
    assert kept[1:] == [told[1].entry, told[2].entry]


def test_a_line_must_keep_its_length(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"word\n")
    with pytest.raises(ValueError, match="keep its length"):
        redact_lines(path, b"word", lambda _: b"\n")
    assert path.read_bytes() == b"word\n"


def test_what_is_torn_off_is_no_line_and_what_is_not_there_has_none(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"word\nword")
    assert redact_lines(path, b"word", lambda line: line.replace(b"word", b"0000")) == 1
    assert path.read_bytes() == b"0000\nword"
    assert redact_lines(tmp_path / "y", b"word", lambda line: line) == 0
    assert [each.name for each in tmp_path.iterdir()] == ["x"]
