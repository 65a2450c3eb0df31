"""What the settings make of single parts: lines, channels, ways out, what is kept and for how long."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guvercin.config import Config, enter_test_server
from guvercin.core.address import Neighbours
from guvercin.core.errors import Code
from guvercin.core.hook import Notice
from guvercin.core.rights import Keeping
from guvercin.gateway.alarm import Channel
from guvercin.gateway.clock import Clock
from guvercin.gateway.couriers import Calls
from guvercin.gateway.rights import Elsewhere
from guvercin.locale import translator
from guvercin.store.lock import NODE, mark_of
from guvercin.store.store import Store
from guvercin.transports.base import Transport
from guvercin.transports.cloud.media import MediaIds
from guvercin.transports.cloud.payloads import NumberState
from guvercin.transports.cloud.setup import Setup, Setups
from guvercin.transports.ledger import Ledger
from guvercin.transports.web.engines import Engines
from guvercin.transports.web.journal import redact
from guvercin.transports.web.moving import move_sessions

if TYPE_CHECKING:
    from guvercin.gateway.traces import Traces
    from guvercin.transports.cloud.graph import Graph

ENGINE_SETTINGS = MappingProxyType({"NEONIZE_BOT_TAG": "off"})
"""What the engine of linked phones reads from its environment: no claim that a bot of a business wrote a message."""


def ledger_of(config: Config, clock: Clock) -> Ledger:
    """Open the sandbox's memory: of each gateway a file of its own, if several share a folder."""
    own = config.data_dir / "sandbox.jsonl"
    if config.shared_dir is None:
        return Ledger(own, now=clock.now())
    folder = config.shared_dir / "sandbox"
    folder.mkdir(mode=0o700, exist_ok=True)
    mine = folder / f"{mark_of(config.data_dir / NODE)}.jsonl"

    def others() -> Sequence[Path]:
        before = [own] if own.exists() else []  # from the time when it was alone
        return [*before, *sorted(each for each in folder.glob("*.jsonl") if each != mine)]

    return Ledger(mine, now=clock.now(), others=others)


def traces_of(config: Config, store: Store, clock: Clock) -> "Traces | None":
    """Answer what posts traces to the owner's collector; null if the settings name none."""
    if config.otlp_url is None:
        return None
    from guvercin.gateway.traces import Traces  # noqa: PLC0415 -- for those who have a collector

    chosen = Neighbours.read([*config.webhook_allow, urlsplit(config.otlp_url).hostname or ""])
    token = None if config.otlp_token is None else config.otlp_token.get_secret_value()
    return Traces(store=store, url=config.otlp_url, token=token, open_way=lambda: way_out(chosen, clock))


def keeping_of(config: Config) -> Keeping:
    """Answer how long what is kept; 0 days in the settings are for ever."""
    days = (config.keep_text_days, config.keep_record_days, config.keep_audit_days)
    texts, records, audit = (timedelta(days=each) if each else None for each in days)
    return Keeping(texts=texts, records=records, audit=audit)


def elsewhere_of(config: Config, ledger: Ledger) -> Elsewhere:
    """Answer how a number is forgotten outside the database, and which older copies of it nobody reaches."""

    def forget(number: str) -> None:
        ledger.redact(number)
        for folder in config.engine_stores.glob("*/journal"):
            with suppress(OSError):  # an account that is being removed
                redact(folder, number)

    def copies() -> Sequence[str]:
        return sorted(path.name for path in config.data_dir.glob("guvercin-onceki-*.db"))

    return Elsewhere(forget=forget, copies=copies)


def cloud_line(config: Config, setups: Setups, account_id: int, clock: Clock) -> Transport:
    """Make a line to Meta."""
    from guvercin.transports.cloud.client import Cloud  # noqa: PLC0415 -- aiohttp is loaded by those who send with it

    return Cloud(
        account_id=account_id,
        setup=lambda: setups.read(account_id),
        connect=partial(_graph, config),
        media=MediaIds(config.shelf / "cloud" / f"{account_id}.media"),
        clock=clock,
    )


async def look_up_number(config: Config, setup: Setup) -> NumberState | Code:
    """Ask Meta about a number before its account is saved."""
    from guvercin.transports.cloud.client import look_up  # noqa: PLC0415 -- as in cloud_line

    graph = _graph(config, setup)
    try:
        return await look_up(graph, setup.number_id)
    finally:
        await graph.close()


def _graph(config: Config, setup: Setup) -> "Graph":
    from guvercin.transports.cloud.graph import Graph  # noqa: PLC0415 -- as in cloud_line

    return Graph(f"{config.graph_url}/{config.graph_version}", token=setup.token)


def channels(config: Config, clock: Clock) -> Sequence[Channel]:
    """Answer the owner's channels for alerts, as the settings name them."""
    found: list[Channel] = []
    if not (config.alert_email or config.alert_ntfy):
        return found
    from guvercin.gateway.channels import Mail, Ntfy  # noqa: PLC0415 -- for those who have one

    say = translator(config.alert_language)
    if config.alert_email:
        found.append(
            Mail(
                say=say,
                host=config.smtp_host or "",
                port=config.smtp_port,
                security=config.smtp_security,
                user=config.smtp_user,
                password=None if config.smtp_password is None else config.smtp_password.get_secret_value(),
                sender=config.smtp_from or config.alert_email[0],
                to=config.alert_email,
            )
        )
    if config.alert_ntfy:
        host = urlsplit(config.alert_ntfy).hostname or ""
        chosen = Neighbours.read([*config.webhook_allow, host])  # its owner wrote it where no API reaches
        token = None if config.ntfy_token is None else config.ntfy_token.get_secret_value()
        found.append(Ntfy(say, url=config.alert_ntfy, token=token, open_way=lambda: way_out(chosen, clock)))
    return found


def way_out(neighbours: Neighbours, clock: Clock) -> Calls:
    """Make the way to addresses that an owner has chosen."""
    from guvercin.gateway.calling import Outside  # noqa: PLC0415 -- 25 MB, for those who have a hook

    return Outside(neighbours, clock.monotonic)


def body_of(notice: Notice, config: Config) -> bytes:
    """Write what a webhook is told."""
    from guvercin.api import notices  # noqa: PLC0415 -- as create_app

    return notices.body(notice, config.timezone)


def trial_body(at: datetime, config: Config) -> bytes:
    """Write what a webhook is told that is only tried."""
    from guvercin.api import notices  # noqa: PLC0415 -- as create_app

    return notices.trial(at, config.timezone)


def engine_environment(config: Config) -> Mapping[str, str]:
    """Answer what a worker runs in: asked at each start, so that an engine that was raised is used from then on."""
    engine = Engines(config.raised_engines).current()
    path = os.environ.get("PYTHONPATH")
    if engine is not None and engine.folder is not None:
        path = os.pathsep.join([str(engine.folder), *([path] if path else [])])
    raised = {} if path is None else {"PYTHONPATH": path}
    return {**os.environ, **raised, **ENGINE_SETTINGS}


def share_sessions(config: Config) -> None:
    """Bring the sessions of linked phones from a gateway's own folder to where all gateways find them. Blocks."""
    if not config.former_stores.is_dir():
        return
    config.engine_stores.mkdir(mode=0o700, parents=True, exist_ok=True)
    enter_test_server(config)  # whose phones they are is known there before they come
    move_sessions(config.former_stores, config.engine_stores, tag=mark_of(config.data_dir / NODE))


def web_folder(config: Config, account_id: int) -> Path:
    """Answer where the session of a linked phone lies."""
    return config.engine_stores / str(account_id)
