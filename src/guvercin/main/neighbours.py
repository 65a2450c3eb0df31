"""Other gateways on the same database: what is ours by lease, and who is asked about the rest."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument
from typing import TYPE_CHECKING, cast

from starlette.types import ASGIApp

from guvercin.config import Config
from guvercin.gateway.clock import Clock, CommonClock
from guvercin.gateway.leases import Leases, Shared
from guvercin.gateway.loops import put_in_order
from guvercin.gateway.recent import Recent
from guvercin.store.lock import NODE, SHELF, mark_of
from guvercin.store.store import Store

if TYPE_CHECKING:
    from guvercin.store.leasing import NodeStanding
    from guvercin.store.postgres_store import PostgresStore

_NODES_FRESH = 0.5
"""Seconds for which it is believed where an account is run."""


def leases_of(config: Config, store: Store, clock: Clock, rng: Random) -> Leases | None:
    """Answer the leases of a gateway whose database others may use, too; null: it is alone."""
    if config.postgres is None:
        return None
    from guvercin.store.postgres_store import PostgresStore  # noqa: PLC0415 -- as in store_of

    if not isinstance(store, PostgresStore):
        return None
    node, ttl = mark_of(config.data_dir / NODE), timedelta(seconds=config.lease_seconds)
    rows = store.lease_rows(
        node=node,
        run=rng.randbytes(8).hex(),
        address=config.node_url or config.address,
        shelf=mark_of(config.shelf / SHELF),
        ttl_ms=ttl // timedelta(milliseconds=1),
    )
    store.listen_to(node)
    return Shared(
        rows,
        node=node,
        ttl=ttl,
        clock=clock,
        recover=partial(put_in_order, store, clock),
        on_time=clock.compare if isinstance(clock, CommonClock) else None,
        on_neighbours=lambda has_neighbours: store.speak(has_neighbours=has_neighbours),
    )


@asynccontextmanager
async def among_others(
    app: ASGIApp, config: Config, store: Store, leases: Leases | None, clock: Clock
) -> AsyncIterator[ASGIApp]:
    """Let calls about a line find the gateway that runs it, where there may be several."""
    if leases is None:
        yield app
        return
    from guvercin.api.relay import Relay, Wire  # noqa: PLC0415 -- as create_app

    nodes = cast("PostgresStore", store).nodes
    found: Recent[None, Sequence[NodeStanding]] = Recent(lambda _: nodes(), clock=clock, fresh=_NODES_FRESH, most=1)
    mine, wire = mark_of(config.data_dir / NODE), Wire()

    async def where(account_id: int) -> str | None:
        if leases.of(account_id) is not None:
            return ""
        others = [node for node in await found.get(None) if node.is_alive and node.id != mine]
        address = next((node.address for node in others if account_id in node.accounts), None)
        return address or ("" if await leases.want(account_id) is not None else None)

    try:
        yield Relay(app, where=where, ask=wire.ask, clock=clock)
    finally:
        await wire.close()
