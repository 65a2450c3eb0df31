"""Sessions move to the folder that all gateways share: whole, once, however often somebody is killed on the way."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from guvercin.transports.web.moving import move_sessions

Rename = Callable[[Path, Path], None]


def far(old: Path, new: Path) -> None:
    """Be a rename to another file system."""
    raise OSError(errno.EXDEV, "far", str(old), None, str(new))


def session(folder: Path, keys: str = "keys") -> None:
    (folder / "journal").mkdir(parents=True)
    (folder / "engine.db").write_text(keys)
    (folder / "journal" / "00000001.jsonl").write_text("{}\n")


@pytest.fixture
def former(tmp_path: Path) -> Path:
    return tmp_path / "veri" / "web"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "ortak" / "web"
    folder.mkdir(parents=True)
    return folder


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("rename", [os.rename, far])
def test_a_session_moves_whole(former: Path, shared: Path, rename: Rename) -> None:
    session(former / "3")
    session(former / "12")
    (former / "4").mkdir()  # never linked
    assert move_sessions(former, shared, tag="bir", rename=rename) == [3, 12]
    assert kept(shared) == ["12", "3"]
    assert (shared / "3" / "engine.db").read_text() == "keys"
    assert (shared / "3" / "journal" / "00000001.jsonl").read_text() == "{}\n"
    assert kept(former) == ["4"]
    assert move_sessions(former, shared, tag="bir", rename=rename) == []


def test_nothing_is_moved_where_nothing_is(former: Path, shared: Path) -> None:
    assert move_sessions(former, shared, tag="bir") == []
    assert kept(shared) == []


def test_what_is_there_stays_as_it_is(former: Path, shared: Path) -> None:
    session(former / "3", "old")
    session(shared / "3", "new")
    assert move_sessions(former, shared, tag="bir") == []
    assert ((former / "3" / "engine.db").read_text(), (shared / "3" / "engine.db").read_text()) == ("old", "new")


def test_one_that_another_gateway_begins_this_moment_is_left_to_it(former: Path, shared: Path) -> None:
    def late(old: Path, new: Path) -> None:
        session(new, "new")
        old.rename(new)

    session(former / "3", "old")
    assert move_sessions(former, shared, tag="bir", rename=late) == []
    assert ((former / "3" / "engine.db").read_text(), (shared / "3" / "engine.db").read_text()) == ("old", "new")


@pytest.mark.parametrize("stage", ["half a copy", "copied", "aside", "named"])
def test_a_kill_on_the_way_leaves_one_session_and_the_next_start_moves_it(
    former: Path, shared: Path, stage: str
) -> None:
    """What each step leaves behind, laid out by hand as a kill would."""
    draft = shared / ".3.bir"
    session(former / "3")
    if stage == "half a copy":
        draft.mkdir()
    else:
        session(draft)
    if stage in {"aside", "named"}:
        (former / "3").rename(former / "3.moved")
    if stage == "named":
        draft.rename(shared / "3")
    usable = [path for path in (former / "3", shared / "3") if path.exists()]
    assert len(usable) <= 1
    move_sessions(former, shared, tag="bir", rename=far)
    assert (kept(former), kept(shared)) == ([], ["3"])
    assert (shared / "3" / "engine.db").read_text() == "keys"


def test_an_original_whose_copy_is_gone_counts_again(former: Path, shared: Path) -> None:
    """Another shared folder was named meanwhile: there is no copy of it there."""
    session(former / "3.moved")
    assert move_sessions(former, shared, tag="bir", rename=far) == [3]
    assert (kept(former), kept(shared)) == ([], ["3"])


def test_a_copy_that_comes_too_late_gives_way(former: Path, shared: Path) -> None:
    session(former / "3.moved", "old")
    session(shared / ".3.bir", "old")
    session(shared / "3", "new")
    assert move_sessions(former, shared, tag="bir", rename=far) == []
    assert (kept(former), kept(shared)) == (["3"], ["3"])
    assert (shared / "3" / "engine.db").read_text() == "new"
