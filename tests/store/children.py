"""Processes of our own: what only another process can show, and what would harm this one."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def child(program: Path, *arguments: object, **options: object) -> "subprocess.Popen[str]":
    """Start `program` with our Python and our path; whoever starts it ends it."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, str(program), *map(str, arguments)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
