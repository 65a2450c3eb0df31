"""The words that an owner has added to those which refuse, as functions of a connection or a transaction."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import Connection

from guvercin.core.audit import Act
from guvercin.core.folding import fold
from guvercin.store import auditing
from guvercin.store.hand import by_hand
from guvercin.store.people import set_setting
from guvercin.store.writer import Tx

_NAME = "ret_sozleri"
_READ = "SELECT value FROM setting WHERE name = ?"


def words(connection: Connection) -> Sequence[str]:
    """Answer the words as they were typed."""
    return _words(by_hand(connection).execute(_READ, (_NAME,)).fetchone())


def folds(tx: Tx) -> frozenset[str]:
    """Answer the words as messages are compared with them: read anew for each, so that a change holds at once."""
    return frozenset(map(fold, _words(tx.execute(_READ, (_NAME,)).fetchone())))


def set_words(tx: Tx, chosen: Sequence[str], *, now: datetime) -> None:
    """Set the words, and write down that they were changed and how many they are."""
    set_setting(tx, _NAME, orjson.dumps(list(chosen)).decode())
    auditing.note(tx, Act.WORDS_CHANGED, now=now, detail={"adet": len(chosen)})


def _words(row: Sequence[str] | None) -> Sequence[str]:
    return () if row is None else tuple(orjson.loads(row[0]))
