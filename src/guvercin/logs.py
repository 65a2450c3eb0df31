"""The log: a word for what happened and the fields that belong to it, on standard error.

Whoever has something to tell uses the standard library: `_log.warning("left_in_hand", extra={"account_id": 3})`. The
word is for a filter to match; fields are ids and codes, never texts, numbers or secrets.
"""

import logging
import re
import sys
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from io import TextIOBase
from typing import Any, Literal

import orjson

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered; it joins every line that is written meanwhile."""

_NO_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
"""What every record carries; the last is uvicorn's own."""


def configure(level: Literal["debug", "info", "warning", "error"], form: Literal["text", "json"]) -> None:
    """Send everything that is logged, by the libraries too, to standard error: words for a reader, or JSON lines."""
    handler = logging.StreamHandler(_Stream())
    handler.setFormatter(_Json() if form == "json" else _Words())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What uvicorn says of a good start, the terminal says in its reader's words.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING if level == "info" else logging.NOTSET)


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Answer what was told with the word of a record."""
    told = {name: value for name, value in vars(record).items() if name not in _NO_FIELDS}
    request_id = REQUEST_ID.get()
    return told if request_id is None else {"request_id": request_id, **told}


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _on_one_line(text: str) -> str:
    """Answer a text that begins no line of its own and does nothing to the terminal that shows it."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _Words(logging.Formatter):
    """`2026-01-31T09:30:00.000Z warning left_in_hand account_id=3`, with an indented traceback. None forges a line."""

    def format(self, record: logging.LogRecord) -> str:
        told = "".join(f" {name}={value}" for name, value in fields(record).items())
        line = _on_one_line(f"{_moment(record)} {record.levelname.lower()} {record.getMessage()}{told}")
        if not record.exc_info:
            return line
        below = (_on_one_line(each) for each in self.formatException(record.exc_info).split("\n"))
        return "\n    ".join((line, *below))


class _Json(logging.Formatter):
    """One object a line: `timestamp`, `level`, `logger`, `event`, the fields, and `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # JSON leaves the second set of control characters as they are, and a terminal obeys those too.
        return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", orjson.dumps(line, default=str).decode())


class _Stream(TextIOBase):
    """Standard error: where it takes nothing (a full disk, a closed pipe) the line is lost, not the work."""

    def write(self, text: str, /) -> int:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
