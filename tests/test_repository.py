"""What is tracked could have been written on any machine, and is to be installed on any other."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Put together from pieces, so that this file doesn't hold what it looks for.
FORBIDDEN = {
    "a folder of the machine that it was written on": r"(?<![\w.~-])/(?:"
    + "|".join(["wo" + "rk", "ro" + "ot", "fa" + "rm", "ho" + "me/[a-z]", "Us" + "ers/[a-z]"])
    + r")/?(?![\w-])"
    + r"|/tm"
    + r"p/(?:[a-z_]+_jobs|tmp[a-z0-9_]{8})",
    "the host of a package registry": "|".join(
        [
            r"py" + r"pi\.org",
            r"python" + r"hosted\.org",
            r"npm" + r"js\.(?:org|com)",
            r"deb" + r"ian\.org",
            r"cra" + r"tes\.io",
        ]
    ),
    "where an installer is to fetch from": r"--(?:extra-)?index" + r"-url\b|--find" + r"-links\b|\bindex" + r"-url *=",
    "a private key": r"-----BEGIN [A-Z ]*PRIV" + r"ATE KEY-----",
}

NOT_TRACKED = re.compile(
    r"(?:^|/)(?:uv\.lock|poetry\.lock|pdm\.lock|package-lock\.json|yarn\.lock|\.env|[^/]*\.(?:db|sqlite3?|pem|pyc|mo))$"
)
"""Locks that record addresses; data and keys; what is built from something else."""


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")  # an unpacked source archive has no list of tracked files
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)  # noqa: S607 -- git is where PATH says
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def texts() -> list[tuple[str, str]]:
    """Answer (path, text) of each tracked file that is text."""
    found = []
    for path in tracked():
        if path.is_file():
            content = path.read_bytes()
            if b"\0" not in content:
                found.append((str(path.relative_to(ROOT)), content.decode("utf-8")))
    return found


@pytest.mark.parametrize("fault", FORBIDDEN)
def test_tracked_files_name_no(fault: str) -> None:
    pattern = re.compile(FORBIDDEN[fault])
    hits = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert hits == [], fault


def test_nothing_is_tracked_that_should_not_be() -> None:
    assert [name for path in tracked() if NOT_TRACKED.search(name := str(path.relative_to(ROOT)))] == []


def test_the_entrance_of_ci_can_be_run() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "--stage", ".ci/run"],  # noqa: S607 -- git is where PATH says
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert listing.stdout.startswith("100755 ")
