"""Take words out of an append-only file of lines without moving a byte of it: others keep places in it."""

import os
from collections.abc import Callable
from pathlib import Path


def redact_lines(path: Path, word: bytes, blank: Callable[[bytes], bytes], *, end: int | None = None) -> int:
    """Overwrite each whole line that holds `word` by what `blank` makes of it, as long as it was; answers how many.

    `end`: only lines that end before this byte. Whoever appends meanwhile is not disturbed. OSError; a file that isn't
    there has no lines.
    """
    done = offset = 0
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    with os.fdopen(descriptor, "r+b", buffering=0) as out, path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n") or (end is not None and offset + len(line) > end):
                break
            if word in line:
                blanked = blank(line)
                if len(blanked) != len(line):
                    raise ValueError("a line must keep its length")
                os.pwrite(out.fileno(), blanked, offset)
                done += 1
            offset += len(line)
        if done:
            os.fsync(out.fileno())
    return done
