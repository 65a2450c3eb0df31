"""The SQLite library that the store has chosen: two in one process would drop each other's locks."""

from typing import Any

from guvercin.store import sqlite

driver: Any = vars(sqlite)["driver"]
