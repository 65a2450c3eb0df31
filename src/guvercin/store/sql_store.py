"""The Store over SQL, as SQLite and PostgreSQL share it: all verbs but those that a database does in its own way.

Each verb hands a function of a transaction to the writer, or a function of a connection to a reader. Those functions
stand in this room by subject, their words in statements/, the async verbs over them in sql/.
"""

from guvercin.store.sql.accepting import SqlAccepting
from guvercin.store.sql.access import SqlAccess
from guvercin.store.sql.accounts import SqlAccounts
from guvercin.store.sql.alerts import SqlAlerts
from guvercin.store.sql.batches import SqlBatches
from guvercin.store.sql.categories import SqlCategories
from guvercin.store.sql.claiming import SqlClaiming
from guvercin.store.sql.hearing import SqlHearing
from guvercin.store.sql.hooks import SqlHooks
from guvercin.store.sql.inbox import SqlInbox
from guvercin.store.sql.messages import SqlMessages
from guvercin.store.sql.numbers import SqlNumbers
from guvercin.store.sql.optouts import SqlRefusals
from guvercin.store.sql.pacing import SqlPacing
from guvercin.store.sql.people import SqlPeople
from guvercin.store.sql.retention import SqlRetention
from guvercin.store.sql.rights import SqlRights
from guvercin.store.sql.tally import SqlTally
from guvercin.store.sql.upkeep import SqlUpkeep
from guvercin.store.sql.uploads import SqlUploads


class SqlStore(
    SqlAccepting,
    SqlClaiming,
    SqlPacing,
    SqlHearing,
    SqlInbox,
    SqlNumbers,
    SqlMessages,
    SqlBatches,
    SqlUploads,
    SqlUpkeep,
    SqlAccounts,
    SqlRefusals,
    SqlRights,
    SqlRetention,
    SqlCategories,
    SqlAccess,
    SqlPeople,
    SqlTally,
    SqlHooks,
    SqlAlerts,
):
    """What SqliteStore and PostgresStore are made of. `scrub`, `compact` and `backup` are their own."""
