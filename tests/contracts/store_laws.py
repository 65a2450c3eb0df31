"""The laws that every Store keeps, whatever database stands beneath it.

A database passes them by a class of its own with the fixture `store`:

    class TestSqlite(StoreLaws):
        @pytest.fixture
        async def store(self, tmp_path): ...   # open, empty, closed afterwards
"""

import pytest
from tests.contracts.desk import Desk
from tests.contracts.store_acceptance import BatchLaws, KeyLaws, QuotaLaws, RetryGuardLaws
from tests.contracts.store_accounts import AccountLaws, CareLaws, TokenLaws
from tests.contracts.store_batches import BatchControlLaws
from tests.contracts.store_categories import CategoryLaws
from tests.contracts.store_crowds import CrowdLaws
from tests.contracts.store_hooks import HookLaws
from tests.contracts.store_inbox import InboxLaws
from tests.contracts.store_lives import LifeLaws
from tests.contracts.store_numbers import NumberLaws
from tests.contracts.store_optouts import ConsentLaws, OptOutLaws
from tests.contracts.store_order import OrderLaws
from tests.contracts.store_reading import ReadingLaws
from tests.contracts.store_receipts import ReceiptLaws
from tests.contracts.store_retention import RetentionLaws
from tests.contracts.store_rights import RightsLaws
from tests.contracts.store_upkeep import UpkeepLaws

from guvercin.store.store import Store


class StoreLaws(
    LifeLaws,
    ReceiptLaws,
    CrowdLaws,
    OrderLaws,
    KeyLaws,
    RetryGuardLaws,
    QuotaLaws,
    BatchLaws,
    BatchControlLaws,
    UpkeepLaws,
    ReadingLaws,
    NumberLaws,
    HookLaws,
    RightsLaws,
    RetentionLaws,
    AccountLaws,
    CategoryLaws,
    OptOutLaws,
    ConsentLaws,
    InboxLaws,
    TokenLaws,
    CareLaws,
):
    @pytest.fixture
    def store(self) -> Store:
        """Answer an open store with nothing in it."""
        raise NotImplementedError

    @pytest.fixture
    async def desk(self, store: Store) -> Desk:
        """Answer that store with two accounts and two tokens."""
        return await Desk(store).furnish()
