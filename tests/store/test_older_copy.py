"""Backups, and what a data folder notices when one is put back: it ends before what the folder has seen."""

import asyncio
import shutil
from pathlib import Path

from tests.contracts.desk import BORA, NOW, Desk, draft, standing

from guvercin.core.account import Kind
from guvercin.core.message import Status
from guvercin.core.pacing import SANDBOX_PACE
from guvercin.store.seen import NAME, Seen
from guvercin.store.sqlite import FILE_NAME, engine_for
from guvercin.store.sqlite_store import SqliteStore


async def put_back(desk: Desk, folder: Path, copy: Path) -> None:
    """Stop, put `copy` in the place of the database, and start again."""
    await desk.store.close()
    new = folder / "new.db"
    shutil.copyfile(copy, new)
    new.replace(folder / FILE_NAME)
    await desk.store.open()


async def given_out(desk: Desk) -> dict[str, int]:
    """Make one of each and answer the ids that they got."""
    account = await desk.store.add_account("Yeni", Kind.SANDBOX, None, SANDBOX_PACE, now=NOW)
    batch = await desk.accept_batch([draft()])
    message = await desk.accept()
    assert batch.batch_id is not None
    return {
        "account": account.id,
        "batch": batch.batch_id,
        "message": message,
        "event": await desk.store.last_event_id(),
    }


# -- noticing


async def test_a_folder_that_goes_on_is_no_older_copy(desk: Desk) -> None:
    assert not await desk.store.is_older_copy()
    await desk.bring(Status.READ)
    assert not await desk.store.is_older_copy()
    await desk.store.close()
    await desk.store.open()
    assert not await desk.store.is_older_copy()


async def test_the_mark_is_the_newest_event(desk: Desk, folder: Path) -> None:
    for _ in range(3):
        await desk.accept()
        assert int((folder / NAME).read_text("ascii")) == await desk.store.last_event_id()


async def test_a_copy_that_is_put_back_is_noticed(desk: Desk, folder: Path, tmp_path: Path) -> None:
    await desk.accept()
    copy = tmp_path / "copy.db"
    await desk.store.backup(copy)
    await put_back(desk, folder, copy)
    assert not await desk.store.is_older_copy()  # nothing has happened since it was made
    await desk.accept()
    await put_back(desk, folder, copy)
    assert await desk.store.is_older_copy()


async def test_looking_and_closing_does_not_make_it_the_newest(desk: Desk, folder: Path, tmp_path: Path) -> None:
    """Neither does what another process writes before anybody has asked."""
    copy = tmp_path / "copy.db"
    await desk.store.backup(copy)
    for _ in range(10):
        await desk.accept()
    await put_back(desk, folder, copy)
    assert await desk.store.is_older_copy()
    await desk.accept()
    await desk.store.close()
    await desk.store.open()
    assert await desk.store.is_older_copy()


async def test_an_empty_database_in_the_place_of_a_lost_one(desk: Desk, folder: Path, empty_database: bytes) -> None:
    """Its first ids would be ids that somebody was given before."""
    before = await given_out(desk)
    await desk.store.close()
    (folder / FILE_NAME).write_bytes(empty_database)
    await desk.store.open()
    await desk.furnish()
    assert await desk.store.is_older_copy()
    await desk.store.hold_unfinished(now=NOW)
    after = await given_out(desk)
    assert all(after[name] > before[name] for name in before), (before, after)


# -- holding


async def test_no_id_is_given_out_twice(desk: Desk, folder: Path, tmp_path: Path) -> None:
    """Not even of what had none yet when the copy was made."""
    copies = [tmp_path / "first.db", tmp_path / "second.db"]
    await desk.store.backup(copies[0])
    await given_out(desk)
    await desk.store.backup(copies[1])
    newest = [await given_out(desk) for _ in range(5)][-1]
    for copy in copies:
        await put_back(desk, folder, copy)
        await desk.store.hold_unfinished(now=NOW)
        new = await given_out(desk)
        assert all(new[name] > newest[name] for name in newest), (newest, new)
        newest = new


async def test_a_restored_copy_is_held_and_let_go_again(desk: Desk, folder: Path, tmp_path: Path) -> None:
    waiting = await desk.accept()
    copy = tmp_path / "copy.db"
    await desk.store.backup(copy)
    await desk.next_id()  # it leaves after the copy was made
    await put_back(desk, folder, copy)
    assert await desk.store.is_older_copy()
    assert await desk.store.hold_unfinished(now=NOW) == 1
    assert await desk.claim() is None
    assert not await desk.store.is_older_copy()  # it goes on from here
    new = await desk.accept(BORA)
    await desk.store.close()
    await desk.store.open()
    assert not await desk.store.is_older_copy()
    assert await desk.next_id() == new
    await desk.store.release(waiting, now=NOW)
    assert await desk.next_id() == waiting


# -- the mark


def test_the_mark_never_goes_back(tmp_path: Path) -> None:
    seen = Seen(tmp_path)
    seen.open()
    for event_id in (5, 3, 7, 6):
        seen.mark(event_id)
    assert seen.read() == 7
    seen.close()
    again = Seen(tmp_path)
    again.open()
    again.mark(2)
    assert again.read() == 7
    again.close()
    again.mark(9)  # closed: nothing to write to, and no trouble
    assert again.read() == 7


def test_a_mark_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    seen = Seen(tmp_path)
    assert seen.read() == 0
    for content in (b"", b"yok", b"\xff\xfe", b"12\x00"):
        (tmp_path / NAME).write_bytes(content)
        assert seen.read() == 0
    assert (tmp_path / NAME).stat().st_size > 0


# -- backups


async def test_a_backup_of_a_live_database_is_whole(desk: Desk, tmp_path: Path) -> None:
    """It has all that was answered before it was asked for, and whole batches alone."""
    before = [standing(one).id for one in await asyncio.gather(*(desk.take(draft()) for _ in range(100)))]
    batches = [asyncio.ensure_future(desk.accept_batch([draft()] * 10, body=bytes([n]))) for n in range(30)]
    copy = tmp_path / "copy.db"
    await desk.store.backup(copy)
    await asyncio.gather(*batches)
    with engine_for(copy).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        ids = set(connection.exec_driver_sql("SELECT id FROM message").scalars())
        counts = connection.exec_driver_sql(
            "SELECT count(*) FROM message WHERE batch_id > 0 GROUP BY batch_id"
        ).scalars()
        assert set(before) <= ids
        assert set(counts) <= {10}


async def test_a_backup_opens_as_a_store(desk: Desk, tmp_path: Path) -> None:
    message_id = await desk.bring(Status.READ)
    folder = tmp_path / "restored"
    folder.mkdir()
    await desk.store.backup(folder / FILE_NAME)
    restored = SqliteStore(folder)
    await restored.open()
    assert await restored.message(message_id) == await desk.row(message_id)
    assert await restored.events_after(0, limit=100) == await desk.store.events_after(0, limit=100)
    await restored.close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_closed_database_is_one_file(desk: Desk, folder: Path, tmp_path: Path) -> None:
    """Whoever copies it while nothing runs has everything."""
    message_id = await desk.bring(Status.READ)
    row = await desk.row(message_id)
    await desk.store.close()
    assert names(folder) == {FILE_NAME, NAME}
    copied = tmp_path / "copied"
    copied.mkdir()
    shutil.copyfile(folder / FILE_NAME, copied / FILE_NAME)
    other = SqliteStore(copied)
    await other.open()
    assert await other.message(message_id) == row
    await other.close()
