"""What every table stands on: one metadata for both databases, and the words that several of them use."""

from sqlalchemy import BigInteger, Integer, MetaData

from guvercin.core.account import LineState, OnUnknown
from guvercin.core.message import Status

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

Id = BigInteger().with_variant(Integer, "sqlite")
"""An id that the database gives."""


def one_of(column: str, values: type[Status | LineState | OnUnknown]) -> str:
    """Write the check that a column holds one of these values."""
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"
