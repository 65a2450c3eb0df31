"""The journal between a worker and the gateway: nothing that was appended is lost, nothing torn is believed."""

import os
import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guvercin.transports.web import journal
from guvercin.transports.web.journal import KEPT, Journal, Reader, holding
from guvercin.transports.web.protocol import Wrote

AT = datetime(2026, 2, 23, 11, 30, tzinfo=UTC)


def wrote(number: int) -> Wrote:
    return Wrote(remote_id=f"3A{number:04}", sender="+905321234567", text="selam", at=AT)


def read_all(reader: Reader, most: int = 1_000) -> list[str]:
    return [one.entry.remote_id for one in reader.read(most) if isinstance(one.entry, Wrote)]


def test_what_was_appended_is_read_until_it_is_marked(tmp_path: Path) -> None:
    written = Journal(tmp_path)
    for number in range(5):
        written.append(wrote(number))
    reader = Reader(tmp_path)
    assert read_all(reader, 2) == read_all(reader, 2) == ["3A0000", "3A0001"]
    reader.mark(reader.read(2)[-1].after)
    assert read_all(reader) == ["3A0002", "3A0003", "3A0004"]
    assert read_all(Reader(tmp_path)) == ["3A0002", "3A0003", "3A0004"], "a new process goes on there"


def test_a_torn_line_is_skipped_and_the_next_one_stands(tmp_path: Path) -> None:
    written = Journal(tmp_path)
    written.append(wrote(1))
    written.close()
    (segment,) = tmp_path.glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"type":"Wrote","remote_id":"3A')
    assert read_all(Reader(tmp_path)) == ["3A0001"]
    Journal(tmp_path).append(wrote(2))
    assert read_all(Reader(tmp_path)) == ["3A0001", "3A0002"]


def test_a_line_of_which_only_a_part_was_taken_is_no_line(tmp_path: Path) -> None:
    written = Journal(tmp_path)
    written.append(wrote(1))
    (segment,) = tmp_path.glob("*.jsonl")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (segment.stat().st_size + 10, hard))
    try:
        with pytest.raises(OSError, match="part of a line"):
            written.append(wrote(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    written.close()
    Journal(tmp_path).append(wrote(3))
    assert read_all(Reader(tmp_path)) == ["3A0001", "3A0003"]


def test_segments_follow_each_other_and_old_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT", 200)
    written = Journal(tmp_path)
    for number in range(10):
        written.append(wrote(number))
    segments = sorted(tmp_path.glob("*.jsonl"))
    assert len(segments) > 2
    reader = Reader(tmp_path)
    found = reader.read(1_000)
    assert len(found) == 10
    for segment in segments:
        os.utime(segment, (AT.timestamp(), AT.timestamp()))
    reader.prune(AT + KEPT + timedelta(days=1))
    assert sorted(tmp_path.glob("*.jsonl")) == segments, "nothing of it is stored yet"
    reader.mark(found[-1].after)
    reader.prune(AT + KEPT - timedelta(days=1))
    assert sorted(tmp_path.glob("*.jsonl")) == segments, "it is evidence still"
    reader.prune(AT + KEPT + timedelta(days=1))
    assert sorted(tmp_path.glob("*.jsonl")) == segments[-1:]
    assert read_all(Reader(tmp_path)) == []


def test_what_holds_a_word_is_found_wherever_it_stands(tmp_path: Path) -> None:
    written = Journal(tmp_path)
    for number in range(5):
        written.append(wrote(number))
    assert list(holding(tmp_path, b"3A0003")) == [wrote(3)]
    assert list(holding(tmp_path / "nowhere", b"3A0003")) == []


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    Journal(folder).append(wrote(1))
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
