"""What befalls a database file: somebody holds it, moves it, replaces it, forbids writing, fills the disk.

In each case nothing half-done stays, nobody is told yes for what is not kept, `check` tells the truth, and when the
trouble is over the same store goes on.
"""

import asyncio
import ctypes
import os
import resource
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.desk import AYSE, NOW, Desk, draft, in_hand
from tests.store.children import child
from tests.store.driver import driver

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.message import Status
from guvercin.core.outcome import Accepted
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.sqlite_store import SqliteStore


@asynccontextmanager
async def unavailable(desk: Desk) -> AsyncIterator[None]:
    """Whatever is asked for meanwhile is refused, for the reason that it is, and leaves nothing."""
    before = await desk.rows()
    yield
    for asking in (
        desk.accept(),
        desk.accept_batch([draft(), draft()]),
        desk.store.check(desk.now),
        desk.claim(),
        desk.store.set_default(1, now=desk.now),
    ):
        with pytest.raises(GuvercinError, match=Code.STORE_UNAVAILABLE.value) as refused:
            await asking
        assert refused.value.retry_after is not None
    assert await desk.rows() == before  # what is there can still be read


def is_sound(path: Path) -> bool:
    with engine_for(path).connect() as connection:
        answers = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        return answers == ["ok"] and not connection.exec_driver_sql("PRAGMA foreign_key_check").all()


async def goes_on(desk: Desk, expected: int) -> None:
    """The same store takes, sends and answers again, and has all that it ever said yes to."""
    await desk.store.check(desk.now)
    await desk.accept()
    assert await desk.next_id() is not None
    assert len(await desk.rows()) == expected + 1
    assert is_sound(desk_path(desk))


def desk_path(desk: Desk) -> Path:
    assert isinstance(desk.store, SqliteStore)
    return desk.store.path


# -- somebody holds it


async def test_a_database_that_somebody_holds_is_waited_for(desk: Desk) -> None:
    other = driver.connect(str(desk_path(desk)), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asking = [asyncio.ensure_future(desk.accept()) for _ in range(20)]
    checking = asyncio.ensure_future(desk.store.check(desk.now))
    done, _ = await asyncio.wait([*asking, checking], timeout=0.3)
    assert not done
    assert await desk.rows() == ()  # reading goes on
    other.execute("COMMIT")
    other.close()
    ids = await asyncio.gather(*asking)
    await checking
    assert [row.id for row in await desk.rows()] == sorted(ids, reverse=True)


async def test_a_short_writer_beside_a_live_one(desk: Desk, folder: Path) -> None:
    """A terminal makes a token while messages come in."""
    guest = Desk(SqliteStore(folder, is_guest=True))
    await guest.store.open()
    accepting = [asyncio.ensure_future(desk.accept()) for _ in range(200)]
    rules = (await desk.store.tokens())[0].rules
    made = await asyncio.gather(
        *(guest.store.create_token(rules, bytes([number]) * 32, "gv_", now=NOW) for number in range(10, 30))
    )
    assert len(set(await asyncio.gather(*accepting))) == 200
    await guest.store.close()
    assert len(await desk.store.tokens()) == 2 + len(made)
    assert is_sound(desk_path(desk))


# -- it is moved away, removed, replaced


async def test_a_file_that_is_moved_away(desk: Desk) -> None:
    path = desk_path(desk)
    first = await desk.accept()
    away = path.with_name("elsewhere.db")
    async with unavailable(desk):
        path.rename(away)
    assert not path.exists()  # nobody made an empty one in its place
    away.rename(path)
    assert (await desk.row(first)).status is Status.QUEUED
    await goes_on(desk, 1)


async def test_a_file_that_is_removed(desk: Desk) -> None:
    """It lives on while it is open, and would take every promise with it at the end of the process."""
    path = desk_path(desk)
    await desk.accept()
    kept = path.with_name("kept.db")
    os.link(path, kept)
    async with unavailable(desk):
        path.unlink()
    assert not path.exists()
    os.link(kept, path)
    await goes_on(desk, 1)


async def test_a_folder_that_is_moved_away(desk: Desk) -> None:
    """As by an unmounted disk."""
    folder = desk_path(desk).parent
    await desk.accept()
    away = folder.with_name(f"{folder.name}-away")
    async with unavailable(desk):
        folder.rename(away)
    assert not folder.exists()
    away.rename(folder)
    await goes_on(desk, 1)


async def test_another_file_in_its_place_is_not_written_to(desk: Desk) -> None:
    """A backup that is put back under a running server: its end is the restart, not a mixture of both."""
    path = desk_path(desk)
    backup = path.with_name("backup.db")
    await desk.store.backup(backup)
    await desk.accept()
    written = backup.read_bytes()
    original = path.with_name("original.db")
    async with unavailable(desk):
        path.rename(original)
        shutil.copyfile(backup, path)
    assert path.read_bytes() == written
    path.unlink()
    original.rename(path)
    await goes_on(desk, 1)


async def test_what_was_in_hand_when_it_went_is_settled_when_it_is_back(desk: Desk) -> None:
    path = desk_path(desk)
    await desk.accept()
    claimed = await desk.claim()
    assert claimed is not None
    path.rename(path.with_name("elsewhere.db"))
    with pytest.raises(GuvercinError, match=Code.STORE_UNAVAILABLE.value):
        await desk.settle(claimed, Accepted("D-1", NOW))
    path.with_name("elsewhere.db").rename(path)
    assert (await desk.settle(claimed, Accepted("D-1", NOW))).status is Status.SENT
    assert (await desk.row(in_hand(claimed).id)).attempts == 1


async def test_a_store_is_not_opened_without_its_database(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    with pytest.raises(GuvercinError, match=Code.STORE_UNAVAILABLE.value):
        await store.open()
    assert not (tmp_path / FILE_NAME).exists()
    with pytest.raises(GuvercinError, match=Code.CLOSING.value):
        await store.check(NOW)


async def test_a_damaged_database_is_not_opened(folder: Path) -> None:
    path = folder / FILE_NAME
    content = bytearray(path.read_bytes())
    content[:16] = b"bozuk bozuk bozu"
    path.write_bytes(content)
    with pytest.raises(GuvercinError, match=Code.STORE_UNAVAILABLE.value):
        await SqliteStore(folder).open()
    assert path.read_bytes() == content


# -- it can't be written


READ_ONLY = Path(__file__).with_name("reading_only.py")


async def test_a_file_that_nobody_may_write(desk: Desk, folder: Path) -> None:
    """Tried in a process without the right of root to write whatever it likes: it reads, and promises nothing."""
    await desk.accept()
    await desk.store.close()
    path = folder / FILE_NAME
    path.chmod(0o400)
    trying = child(READ_ONLY, folder)
    answers = await asyncio.to_thread(trying.communicate, "")
    refused = Code.STORE_UNAVAILABLE.value
    assert (trying.returncode, answers[0].split()) == (0, ["1", refused, refused, "1"]), answers
    path.chmod(0o600)
    await desk.store.open()
    await goes_on(desk, 1)


# -- the disk is full


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of four megabytes."""
    place = folder / "disk"
    place.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", 0, b"size=4m") != 0:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        yield place
    finally:
        libc.umount2(os.fsencode(place), 2)


async def fill(desk: Desk) -> tuple[int, GuvercinError]:
    """Accept until the disk is full; answers how many were accepted and what was said then."""
    accepted = 0
    while True:
        asking = [desk.take(draft(AYSE, text="Merhaba " * 400)) for _ in range(8)]
        answers = await asyncio.gather(*asking, return_exceptions=True)
        accepted += sum(not isinstance(answer, BaseException) for answer in answers)
        for answer in answers:
            if isinstance(answer, BaseException):
                assert isinstance(answer, GuvercinError)
                return accepted, answer


async def is_full_and_recovers(desk: Desk, more_room: Any) -> None:
    accepted, refusal = await fill(desk)
    assert refusal.code is Code.STORE_UNAVAILABLE
    assert accepted > 10
    for _ in range(3):
        for asking in (
            desk.take(draft(text="x" * 200_000)),
            desk.accept_batch([draft(text="Merhaba " * 400) for _ in range(100)]),
        ):
            with pytest.raises(GuvercinError, match=Code.STORE_UNAVAILABLE.value):
                await asking
    # Exactly what was accepted is there, with its event; nothing of the batches.
    rows = await desk.rows()
    assert len(rows) == accepted
    assert {row.batch_id for row in rows} == {None}
    told = [event.message_id for event in await desk.store.events_after(0, limit=100_000) if event.message_id]
    assert sorted(told) == sorted(row.id for row in rows)
    more_room()
    await goes_on(desk, accepted)
    batch = await desk.accept_batch([draft(text="Merhaba " * 400) for _ in range(100)])
    assert (await desk.batch(batch.batch_id)).counts.total == 100


async def test_a_full_disk(tmp_path: Path, empty_database: bytes) -> None:
    with small_disk(tmp_path) as disk:
        (disk / FILE_NAME).write_bytes(empty_database)
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(3_400_000))
        store = SqliteStore(disk)
        await store.open()
        await is_full_and_recovers(await Desk(store).furnish(), ballast.unlink)
        await store.close()


async def test_a_file_that_may_not_grow(desk: Desk) -> None:
    """As a full disk, where mounting one is not allowed: the kernel lets no file of this process grow."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, limits[1]))
    try:
        await is_full_and_recovers(desk, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
