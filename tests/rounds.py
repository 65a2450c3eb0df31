"""How many rounds a seeded test plays: a stated few in `make test`, the full number in `make long`."""

import os


def rounds(quick: int, full: int) -> int:
    return full if os.environ.get("GUVERCIN_ROUNDS") == "full" else quick
