"""Özet: the first page, how things stand at a glance."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guvercin.panel.shell import show


async def overview(request: Request) -> Response:
    """Show how things stand."""
    return await show(request, "ozet.html")


routes = [Route("/panel", overview)]
