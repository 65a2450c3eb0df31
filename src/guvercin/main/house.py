"""The rooms, put together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from random import Random  # noqa: TID251 -- the type alone: chance comes in as an argument

from guvercin.config import Config, enter_test_server
from guvercin.core.account import Account, Kind
from guvercin.core.address import Neighbours
from guvercin.core.errors import Code
from guvercin.gateway.access import Access
from guvercin.gateway.alarm import Alarm
from guvercin.gateway.choices import Choices
from guvercin.gateway.clock import Clock
from guvercin.gateway.couriers import Couriers
from guvercin.gateway.courses import hours_in
from guvercin.gateway.files import Files, Spool
from guvercin.gateway.gateway import Gateway
from guvercin.gateway.hooks import Hooks
from guvercin.gateway.leases import Alone, Leases, until_of
from guvercin.gateway.loops import Loops, put_in_order
from guvercin.gateway.meta import Meta
from guvercin.gateway.numbers import Numbers
from guvercin.gateway.people import People
from guvercin.gateway.retention import Retention
from guvercin.gateway.sessions import Sessions
from guvercin.gateway.tally import Tally
from guvercin.gateway.upkeep import Upkeep
from guvercin.gateway.waiting import Waiting
from guvercin.main.parts import (
    body_of,
    channels,
    cloud_line,
    elsewhere_of,
    engine_environment,
    keeping_of,
    ledger_of,
    look_up_number,
    traces_of,
    trial_body,
    way_out,
    web_folder,
)
from guvercin.sealing import Seal
from guvercin.store.sqlite import reading
from guvercin.store.store import Store
from guvercin.transports.base import Transport
from guvercin.transports.cloud.payloads import NumberState
from guvercin.transports.cloud.setup import Setup, Setups
from guvercin.transports.sandbox import Sandbox
from guvercin.transports.web.engine import Web
from guvercin.transports.web.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that runs, put together and not started."""

    store: Store
    sessions: Sessions
    access: Access
    gateway: Gateway
    upkeep: Upkeep
    couriers: Couriers
    loops: Loops
    people: People
    choices: Choices
    tally: Tally


def build(config: Config, store: Store, clock: Clock, rng: Random, leases: Leases | None = None) -> House:
    """Put the rooms together. Nothing is started, nothing but the spool's folder and old set-ups are touched.

    `leases` null: every account is ours.
    """
    spool = Spool(config.spool)
    leases = leases or Alone(partial(put_in_order, store, clock))
    ledger = ledger_of(config, clock)
    access = Access(store, clock)
    waiting = Waiting(clock)
    wakers: list[Callable[[int], None]] = []
    seal, neighbours = Seal(config.shelf), Neighbours.read(config.webhook_allow)
    setups = Setups(config.shelf / "cloud", seal)
    setups.seal_plain()

    @cache
    def workers() -> Workers:
        test_server = enter_test_server(config)  # marks the folder before any account has one in it
        return Workers(
            config.engine_stores,
            environment=lambda: {**engine_environment(config), **test_server},
            accounts_per_worker=config.accounts_per_worker,
        )

    def transport_for(account: Account) -> Transport:
        match account.kind:
            case Kind.SANDBOX:
                return Sandbox(account_id=account.id, ledger=ledger, clock=clock)
            case Kind.WEB:
                return Web(
                    folder=web_folder(config, account.id),
                    clock=clock,
                    open_database=reading,
                    numbers=Numbers(store, account.id, clock),
                    workers=workers(),
                    until=lambda: until_of(leases.of(account.id)),
                )
            case Kind.CLOUD:
                return cloud_line(config, setups, account.id, clock)

    def line_changed(account_id: int) -> None:
        for wake in wakers:
            wake(account_id)

    async def look(setup: Setup) -> NumberState | Code:
        return await look_up_number(config, setup)

    sessions = Sessions(store, transport_for, seal=seal, clock=clock, rng=rng, on_change=line_changed, leases=leases)
    couriers = Couriers(
        store=store,
        seal=seal,
        open_way=lambda: way_out(neighbours, clock),
        write=lambda notice: body_of(notice, config),
        clock=clock,
        rng=rng,
    )
    hooks = Hooks(
        store=store,
        couriers=couriers,
        seal=seal,
        neighbours=neighbours,
        write_trial=lambda at: trial_body(at, config),
        clock=clock,
        rng=rng,
    )

    gateway = Gateway(
        store=store,
        sessions=sessions,
        access=access,
        files=Files(spool=spool, roots=config.file_roots),
        waiting=waiting,
        clock=clock,
        rng=rng,
        timezone=config.timezone,
        meta=Meta(setups=setups, look=look, sessions=sessions),
        hooks=hooks,
        seal=seal,
        elsewhere=elsewhere_of(config, ledger),
        reaches_nobody=config.whatsapp_test_server is not None,
    )
    tally = Tally(store=store, clock=clock, zone=config.timezone, leases=leases)
    upkeep = Upkeep(
        store=store,
        sessions=sessions,
        access=access,
        spool=spool,
        account=gateway.accounts.any,
        resend=gateway.singles.resend_by_policy,
        clock=clock,
        leases=leases,
    )
    alarm = Alarm(
        store=store,
        channels=channels(config, clock),
        folder=config.data_dir,
        backup_days=0 if config.postgres else config.backup_days,  # a server's backups are its own, and out of sight
        clock=clock,
        rng=rng,
    )
    loops = Loops(
        store=store,
        sessions=sessions,
        upkeep=upkeep,
        tally=tally,
        couriers=couriers,
        alarm=alarm,
        retention=Retention(store=store, keeping=keeping_of(config), zone=config.timezone, started_at=clock.now()),
        traces=traces_of(config, store, clock),
        spool_path=spool.path,
        hours=hours_in(config.timezone),
        clock=clock,
        rng=rng,
        leases=leases,
    )
    wakers.append(loops.wake)
    store.listen(gateway.heard)
    return House(
        store=store,
        sessions=sessions,
        access=access,
        gateway=gateway,
        upkeep=upkeep,
        couriers=couriers,
        loops=loops,
        people=People(store=store, clock=clock, rng=rng),
        choices=Choices(store=store, clock=clock),
        tally=tally,
    )
