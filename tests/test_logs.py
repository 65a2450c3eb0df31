"""What a line of the log looks like to its reader and to a collector."""

import errno
import io
import json
import logging
import re

import pytest

from guvercin import logs

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_a_reader_gets_the_moment_the_word_and_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    logging.getLogger("guvercin.x").warning("left_in_hand", extra={"account_id": 3, "trouble": "kuyruk_dolu"})
    assert re.fullmatch(MOMENT + r" warning left_in_hand account_id=3 trouble=kuyruk_dolu\n", capsys.readouterr().err)


def test_a_collector_gets_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    token = logs.REQUEST_ID.set("abc")
    trouble = ValueError("broken\nin two")
    logging.getLogger("guvercin.x").error("send_failed", extra={"message_id": 7}, exc_info=trouble)
    logs.REQUEST_ID.reset(token)
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert re.fullmatch(MOMENT, told.pop("timestamp"))
    assert told.pop("exception").endswith("ValueError: broken\nin two")
    assert told == {
        "level": "error",
        "logger": "guvercin.x",
        "event": "send_failed",
        "request_id": "abc",
        "message_id": 7,
    }


@pytest.mark.parametrize(("level", "told"), [("info", ["a warning"]), ("debug", ["a start", "a warning"])])
def test_what_uvicorn_says_of_a_good_start_is_for_the_curious(
    level: str, told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(level, "text")  # type: ignore[arg-type]
    uvicorn = logging.getLogger("uvicorn.error")
    uvicorn.info("a start")
    uvicorn.warning("a warning")
    assert [line.split(" ", 2)[2] for line in capsys.readouterr().err.splitlines()] == told


def test_a_log_that_nobody_takes_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    logs.configure("info", "text")
    raised: list[object] = []
    monkeypatch.setattr(logging.Handler, "handleError", lambda _, record: raised.append(record))
    monkeypatch.setattr("sys.stderr", Full())
    logging.getLogger("guvercin.x").warning("disk_full")
    monkeypatch.undo()
    assert raised == []
