"""The real server with commits of at most `--group N` jobs, for comparisons. Started by bench.server."""

import argparse
from functools import partial
from pathlib import Path

from guvercin.config import load
from guvercin.main import serving
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.writer import GROUP


def serve() -> None:
    """Serve as the options say until a signal asks to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--veri", type=Path, required=True)
    parser.add_argument("--group", type=int, default=GROUP)
    asked = parser.parse_args()
    serving.serve(
        load(data_dir=asked.veri, port=asked.port),
        lambda: None,
        store_in=partial(SqliteStore, group=asked.group),
    )


if __name__ == "__main__":
    serve()
