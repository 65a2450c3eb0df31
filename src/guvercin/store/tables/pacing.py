"""The rules of an account: what it has used of them, and what WhatsApp has closed for it."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, Table, Text, text

from guvercin.store.tables.ground import Id, metadata

pace_state = Table(
    "pace_state",
    metadata,
    Column("account_id", Id, ForeignKey("account.id"), primary_key=True),
    Column("steady_at", BigInteger, nullable=False),
    Column("wall_at", BigInteger, nullable=False),
    Column("last_at", BigInteger),
    Column("draw", Float, nullable=False, server_default=text("0")),
    Column("bulk_run", Integer, nullable=False, server_default=text("0")),
    Column("rests_until", BigInteger, nullable=False, server_default=text("0")),
    Column("new_until", BigInteger, nullable=False, server_default=text("0")),
    Column("head_starts", Text, nullable=False, server_default=text("'[]'")),
    Column("warm_days", Integer, nullable=False, server_default=text("0")),
    Column("warm_day", BigInteger),
)
"""What an account has used of its rules, as far as it isn't a count. Times are of its own line; `wall_at` ties it."""

pace_use = Table(
    "pace_use",
    metadata,
    Column("account_id", Id, ForeignKey("account.id"), primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("track", Text, primary_key=True),
    Column("sends", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The counters of the limits, a minute each: the last 30 days, however long the log is."""

restriction = Table(
    "restriction",
    metadata,
    Column("account_id", Id, ForeignKey("account.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("step", Integer, nullable=False, server_default=text("0")),
)
"""What WhatsApp has closed for an account, and until when."""

chat = Table(
    "chat",
    metadata,
    Column("account_id", Id, ForeignKey("account.id"), primary_key=True),
    Column("number", Text, primary_key=True),
    Column("last_at", BigInteger, nullable=False),
    Column("unanswered", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""When an account with rules last wrote to a number, and what nobody has answered: `[[message id, moment], …]`."""
