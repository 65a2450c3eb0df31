"""Fail when a test was skipped, or is expected to fail, for a reason that nobody has written down.

Usage: skips.py REPORT.xml EXPECTED. EXPECTED holds one reason a line; `#` begins a comment.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def skipped(report: Path) -> list[tuple[str, str]]:
    """Answer (test, reason) for each skipped or expectedly failing test of a JUnit report."""
    cases = ET.parse(report).iter("testcase")  # noqa: S314 -- our own pytest wrote it a moment ago
    return [
        (f"{case.get('classname')}::{case.get('name')}", skip.get("message") or "")
        for case in cases
        for skip in case.iter("skipped")
    ]


def expected(listing: Path) -> set[str]:
    """Answer the reasons that are known."""
    lines = (line.partition("#")[0].strip() for line in listing.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if line}


def main(report: str, listing: str) -> int:
    """Print every surprise; answer 1 if there was one."""
    known = expected(Path(listing))
    surprises = [(test, reason) for test, reason in skipped(Path(report)) if reason not in known]
    for test, reason in surprises:
        print(f"Unexpected skip: {test}: {reason or 'no reason given'}")
    if surprises:
        print(f"Make these tests run, or write their reason into {listing}.")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
