"""A server that differs from the real one in a single thing, for comparisons. Started by bench.server.

`--group N` limits a commit to N jobs; `--route fastapi` serves `gonder` as FastAPI's tutorials would.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp

from bench.server import API
from guvercin import main
from guvercin.api import answers, render, wire
from guvercin.api.asking import ask
from guvercin.api.auth import Sender
from guvercin.api.preferences import preference
from guvercin.api.reception import reception_of, visit_of
from guvercin.api.whatsapp import MESSAGE_WAIT
from guvercin.config import load
from guvercin.store.sqlite_store import SqliteStore
from guvercin.store.writer import GROUP


def put_fastapi_route(app: ASGIApp) -> None:
    """Put one more route before all others: `gonder` by FastAPI's own means, doing the same."""
    assert isinstance(app, FastAPI)  # noqa: S101 -- what main makes

    @app.post(f"{API}/gonder", response_model=answers.MessageSent | answers.MessageStanding)
    async def send(
        request: Request, response: Response, sender: Sender, asked: wire.SendText
    ) -> answers.MessageSent | answers.MessageStanding:
        reception = reception_of(request)
        wanted = preference(request, usual_wait=MESSAGE_WAIT)
        sent = await reception.gateway.send(sender, ask(asked, reception.zone), wait=wanted.wait)
        visit_of(request).headers |= render.marks(is_sandbox=sent.is_sandbox)
        response.status_code = 202
        response.headers["Location"] = render.message_url(sent.standing.id)
        response.headers.update(wanted.headers())
        return render.message_standing(sent.standing)

    routes = app.router.routes
    routes.insert(0, routes.pop())


ROUTES: dict[str, Callable[[ASGIApp], None]] = {"plain": lambda _: None, "fastapi": put_fastapi_route}


def serve() -> None:
    """Serve as the options say until a signal asks to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--veri", type=Path, required=True)
    parser.add_argument("--group", type=int, default=GROUP)
    parser.add_argument("--route", choices=ROUTES, default="plain")
    asked = parser.parse_args()
    main.serve(
        load(data_dir=asked.veri, port=asked.port),
        lambda: None,
        store_in=partial(SqliteStore, group=asked.group),
        alter=ROUTES[asked.route],
    )


if __name__ == "__main__":
    serve()
