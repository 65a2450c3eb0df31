"""The gateways of a database, and what each of them runs. A database in a file has one gateway, and no rows here."""

from sqlalchemy import BigInteger, Column, Table, Text

from guvercin.store.tables.ground import metadata

node = Table(
    "node",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("shelf", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("version", Text),
    Column("schema", Text),
)
"""A row for each data folder, alive until `until` by the database's clock.

`run` is the process that speaks for it, `address` where the others reach it, `shelf` which shared folder it has,
`version` and `schema` which program it is and which schema that knows.
"""

lease = Table(
    "lease",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("node", Text),
    Column("epoch", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("home", Text),  # unused: an older program pinned linked phones by it; a contracting migration drops it
)
"""What one gateway alone runs: `account:N`, or a duty. `epoch` is raised by each that takes it."""
