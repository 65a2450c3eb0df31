"""What the engine imports and a worker never uses isn't loaded, and needn't even be installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.testing.whatsapp.driving import why_there_is_no_engine

from guvercin.transports.web.unused import UNUSED

ALONE = "from guvercin.transports.web.unused import leave_out; leave_out()\n"


def run(*command: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ if path is None else {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(bool(why_there_is_no_engine()), reason=why_there_is_no_engine())
def test_a_worker_loads_where_none_of_it_is_installed(tmp_path: Path) -> None:
    for name in (*UNUSED, "bs4", "urllib3", "httpcore", "rich"):  # and what would come along
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('{name} is not installed')\n")
    done = run("-m", "guvercin.transports.web.worker", "--version", path=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_who_calls_what_was_left_out_is_told() -> None:
    done = run("-c", ALONE + "from requests import sessions, Session\nSession()")
    assert done.stderr.strip().endswith("RuntimeError: requests.Session is left out of a worker")


def test_a_module_that_imports_it_may_name_inherit_and_catch_it() -> None:
    code = """
import requests.adapters, magic
from linkpreview.exceptions import MaximumContentSizeError
class Mine(requests.adapters.HTTPAdapter): ...
try:
    raise OSError("mine")
except MaximumContentSizeError:
    print("caught by what is not there")
except OSError:
    print(hasattr(magic, "__file__"), Mine.__mro__[1].__module__)
"""
    done = run("-c", ALONE + code)
    assert (done.stdout, done.stderr) == ("False requests.adapters\n", "")


def test_all_else_is_found_as_ever() -> None:
    done = run("-c", ALONE + "import orjson, guvercin; print(orjson.dumps(1), guvercin.__file__ is not None)")
    assert (done.stdout, done.stderr) == ("b'1' True\n", "")
