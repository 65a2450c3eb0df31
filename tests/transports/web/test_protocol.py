"""The words of the pipe: what one side writes, the other reads, and nothing else."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guvercin.transports.web import protocol as p

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds


def values(hint: Any) -> st.SearchStrategy[Any]:
    plain: dict[Any, st.SearchStrategy[Any]] = {
        int: st.integers(0, 2**53),
        str: st.text(),
        bool: st.booleans(),
        float: st.floats(0, 2**40),
        bytes: st.binary(max_size=64),
        datetime: MOMENTS,
    }
    if hint in plain:
        return plain[hint]
    if get_args(hint)[-1] is Ellipsis:
        return st.lists(st.text(), max_size=3).map(tuple)
    return st.one_of([st.none() if part is type(None) else values(part) for part in get_args(hint)])


def words(kinds: tuple[type, ...]) -> st.SearchStrategy[Any]:
    made = []
    for kind in kinds:
        hints = get_type_hints(kind)
        made.append(st.builds(kind, **{field.name: values(hints[field.name]) for field in fields(kind)}))
    return st.one_of(made)


@given(words(p.COMMANDS), st.text())
def test_every_command_is_read_as_it_was_written(word: p.Command, seat: str) -> None:
    line = p.encode(word, seat)
    assert line.count(b"\n") == 1
    assert p.decode_command(line) == (seat, word)


@given(words(p.FROM_WORKER), st.text())
def test_every_word_of_a_worker_is_read_as_it_was_written(word: Any, seat: str) -> None:
    assert p.decode_from_worker(p.encode(word, seat)) == (seat, word)


@given(words(p.ENTRIES))
def test_every_entry_is_read_as_it_was_written(entry: Any) -> None:
    assert p.decode_entry(p.encode(entry)) == entry


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"type":"Nobody"}',
        b'{"type":"Ping"}',
        b'{"type":"Ping","id":"1"}',
        b'{"type":"Ping","id":1,"more":2}',
        b'{"type":"Ping","id":1,"seat":2}',
        b'{"type":"Pong","id":1,"is_connected":1,"is_logged_in":true}',
        b'{"type":"Answered","secret":"*","remote_id":null,"error":null,"at":"2026-02-23T11:30:00+00:00"}',
        b'{"type":"Answered","secret":"","remote_id":null,"error":null,"at":"yesterday"}',
    ],
)
def test_what_nobody_of_this_version_wrote_is_refused(line: bytes) -> None:
    for read in (p.decode_command, p.decode_from_worker, p.decode_entry):
        with pytest.raises(p.ProtocolError):
            read(line)
