"""The database of the settings: brought up to date, opened for a moment, moved."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Engine

from guvercin.config import Config
from guvercin.store.lock import FolderLock
from guvercin.store.schema import demand_own, is_current, prepare
from guvercin.store.sqlite import engine_for
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.store import Store


def make_folder(config: Config, *, beside: bool = False) -> None:
    """Make the data folder, for its owner alone, and bring its database to the schema of this program.

    The caller holds the folder's lock, or is alone there. `beside`: also while other gateways run, if they can live
    with it; for who becomes one of them.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    prepare(engine_of(config, create=True), beside=beside)


def engine_of(config: Config, *, create: bool = False) -> Engine:
    """Make an engine for a look at the database, or for bringing it up to date."""
    if config.postgres is None:
        return engine_for(config.database, create=create)
    from guvercin.store import postgres  # noqa: PLC0415 -- an extra: only who asks for it needs it

    return postgres.engine_for(config.postgres)


def store_of(config: Config, **words: Any) -> Store:
    """Make the store that the settings ask for."""
    if config.postgres is None:
        return SqliteStore(config.data_dir, **words)
    from guvercin.store.postgres_store import PostgresStore  # noqa: PLC0415 -- as above

    return PostgresStore(config.postgres, config.data_dir, shelf=config.shelf, **words)


def move_data(config: Config, put_aside: Callable[[], Callable[[], None]]) -> Mapping[str, int]:
    """Copy the data folder's file into the PostgreSQL of the settings; answers how many rows of which table.

    The caller holds the folder's lock. See store/moving.py for `put_aside`, and for what is raised.
    """
    from guvercin.store.moving import move  # noqa: PLC0415 -- once in a shop's life

    prepare(engine_for(config.database, create=True))
    target = engine_of(config)
    prepare(target)
    for engine in (engine_for(config.database), target):
        demand_own(engine)
    return move(engine_for(config.database, query_only=True), target, put_aside)


@asynccontextmanager
async def open_store(config: Config, *, beside: bool = False) -> AsyncIterator[Store]:
    """Open the database for a moment, beside a live server or without one.

    FolderLocked if the database would have to be made or migrated and another process runs on the folder: a schema
    never changes under a server, which knows only its own. `beside` as in `make_folder`.
    """
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_there = config.postgres is not None or config.database.exists()
    if not (is_there and is_current(engine_of(config))):
        lock = FolderLock(config.data_dir)
        try:
            make_folder(config, beside=beside)
        finally:
            lock.release()
    store = store_of(config, is_guest=True)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
