"""The sessions of linked phones that lie in one gateway's own folder, moved to where all gateways find them.

Laws
1. A session has one usable copy at every moment: where it has to be copied, the old one loses its name before the new
   one has it.
2. Whoever is killed on the way leaves what the next start brings to its end.
3. Nothing is moved onto what is there already, and nothing that a worker still holds.
"""

import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from guvercin.transports.web.evidence import DATABASE
from guvercin.transports.web.protocol import LOCK

_MOVED = ".moved"
"""How the name of a folder ends whose copy is whole."""

_log = logging.getLogger(__name__)


def move_sessions(
    former: Path, shared: Path, *, tag: str, rename: Callable[[Path, Path], None] = os.rename
) -> list[int]:
    """Move every session of `former` to `shared`, and answer whose they are. Blocks; OSError.

    The caller is the only one who uses `former`, and nothing of it runs. `tag` tells its drafts from another gateway's.
    `rename` fails with EXDEV between file systems.
    """
    moved: list[int] = []
    for name in _names(former, _MOVED):
        _finish(former / name, shared, tag)
    for name in _names(former):
        folder = former / name
        if not (folder / DATABASE).exists():
            continue
        if (shared / name).exists():
            _log.warning("session_left_behind", extra={"account_id": int(name)})
            continue
        with _held(folder):
            if _move(folder, shared, tag, rename):
                moved.append(int(name))
    if moved:
        _log.info("sessions_moved", extra={"accounts": moved})
    return moved


def _move(folder: Path, shared: Path, tag: str, rename: Callable[[Path, Path], None]) -> bool:
    try:
        rename(folder, shared / folder.name)
    except OSError as trouble:
        if trouble.errno in {errno.ENOTEMPTY, errno.EEXIST}:  # another gateway has begun one this moment
            return False
        if trouble.errno != errno.EXDEV:
            raise
        draft = _draft(shared, folder.name, tag)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(folder, draft)
        _sync(draft)
        folder.rename(folder.with_name(f"{folder.name}{_MOVED}"))
        _sync_folder(folder.parent)
        return _finish(folder, shared, tag)
    _sync_folder(shared)
    return True


def _finish(folder: Path, shared: Path, tag: str) -> bool:
    """Give a whole copy its name, then remove the original. Without a copy the original gets its name back."""
    old, draft, new = folder.with_name(f"{folder.name}{_MOVED}"), _draft(shared, folder.name, tag), shared / folder.name
    try:
        draft.rename(new)
    except FileNotFoundError:
        has_arrived = new.exists()
    except OSError as trouble:
        if trouble.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        has_arrived = False
    else:
        has_arrived = True
    if not has_arrived:  # its name first: without the draft, a later start would take what is there for its copy
        old.rename(folder)
        shutil.rmtree(draft, ignore_errors=True)
        return False
    _sync_folder(shared)
    shutil.rmtree(old)
    return True


def _names(folder: Path, end: str = "") -> Sequence[str]:
    """Answer the accounts that have a folder here whose name ends so."""
    try:
        found = [path.name for path in folder.iterdir() if path.is_dir()]
    except FileNotFoundError:
        return ()
    names = (name.removesuffix(end) for name in found if name.endswith(end))
    return sorted((name for name in names if name.isdigit()), key=int)


def _draft(shared: Path, name: str, tag: str) -> Path:
    return shared / f".{name}.{tag}"


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold an account's folder: the worker of a process that died may live a moment longer."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.warning("session_waited_for", extra={"account_id": int(folder.name)})
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _sync(folder: Path) -> None:
    """See that everything in a folder is on the disk, itself included."""
    for root, _, names in os.walk(folder):
        for path in (*(Path(root, name) for name in names), Path(root)):
            _sync_folder(path)
    _sync_folder(folder.parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
