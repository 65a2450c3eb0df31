"""Who asks: Bearer tokens, their permissions, and what happens to those who guess.

A wrong token costs its address one of ten failures a minute; after that it hears 429 instead of 401 (api/throttle.py).
"""

import re
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Annotated

from fastapi import Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from guvercin.api.reception import reception_of, visit_of
from guvercin.core.audit import ACTOR, Actor, Way
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.token import PASS_NAME, Permission, Token
from guvercin.locale import sentence

_HOST = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[0-9A-Za-z.-]+))(?::[0-9]{1,5})?")


def check_permission(token: Token, permission: Permission) -> None:
    """Refuse a token that may not do this. NOT_ALLOWED."""
    if not token.may(permission):
        raise GuvercinError(Code.NOT_ALLOWED, params={"permission": permission.value})


async def sign_in(request: Request) -> Token:
    """Answer the token of a request, counted against its limits.

    Raises NO_TOKEN, INVALID_TOKEN, TOO_MANY_REQUESTS.
    """
    reception = reception_of(request)
    try:
        token = await reception.gateway.authenticate(secret_of(request))
    except GuvercinError as refusal:
        if refusal.code is Code.INVALID_TOKEN and (wait := reception.throttle.fail(client_address(request))):
            raise GuvercinError(Code.TOO_MANY_REQUESTS, retry_after=wait) from None
        raise
    way = Way.TERMINAL if token.rules.name == PASS_NAME else Way.API
    ACTOR.set(Actor(way=way, token_id=token.id, address=request.client.host if request.client else None))
    _spend(request, token)
    return token


def client_address(request: Request) -> str:
    """Answer whom failures are counted for: the peer (or what a trusted proxy says), an IPv6 one by its /64."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Address(int(address) >> 64 << 64))
    return host


def is_loopback(request: Request) -> bool:
    """Say whether a request comes from this machine itself, and not through a proxy that stands on it.

    Nor from a browser on it that a foreign page uses: the page's own name then stands in Host, wherever it leads.
    """
    if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    return _names_this_machine(request.client.host) and _names_this_machine(_host(request))


def _host(request: Request) -> str:
    """Answer the name in Host, without its port; an IPv6 address without its brackets."""
    if found := _HOST.fullmatch(request.headers.get("host", "")):
        return found["address"] or found["name"]
    return ""


def _names_this_machine(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


def secret_of(request: Request) -> str | None:
    """Answer the secret that a request brings."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


class Bearer(SecurityBase):
    """The sign-in of every documented route, as FastAPI wants it: `Security(bearer, scopes=["oku"])`."""

    def __init__(self) -> None:
        self.model = HTTPBearer(description=sentence("The token that «guvercin anahtar uret» made."))
        self.scheme_name = "anahtar"

    async def __call__(self, request: Request, needed: SecurityScopes) -> Token:
        """Answer the token of a request that may do what its route asks for. Raises as `sign_in`, and NOT_ALLOWED."""
        (permission,) = needed.scopes
        token = await sign_in(request)
        check_permission(token, Permission(permission))
        return token


bearer = Bearer()

Sender = Annotated[Token, Security(bearer, scopes=[Permission.SEND])]
BulkSender = Annotated[Token, Security(bearer, scopes=[Permission.BULK])]
FileSender = Annotated[Token, Security(bearer, scopes=[Permission.FILE])]
Reader = Annotated[Token, Security(bearer, scopes=[Permission.READ])]
AccountOwner = Annotated[Token, Security(bearer, scopes=[Permission.ACCOUNTS])]
Owner = Annotated[Token, Security(bearer, scopes=[Permission.ADMIN])]


def _spend(request: Request, token: Token) -> None:
    """Count a request against its token's limit, and say how much is left (draft-ietf-httpapi-ratelimit-headers)."""
    limit = token.rules.per_minute
    if limit is None:
        return
    headers = visit_of(request).headers
    headers["RateLimit-Policy"] = f'"api";q={limit};w=60'
    try:
        allowance = reception_of(request).gateway.spend(token)
    except GuvercinError as refusal:
        headers["RateLimit"] = _rate_limit(0, refusal.retry_after)
        raise
    if allowance is not None:
        headers["RateLimit"] = _rate_limit(allowance.remaining, allowance.resets_in)


def _rate_limit(remaining: int, resets_in: timedelta | None) -> str:
    return f'"api";r={remaining};t={max(1, ceil((resets_in or timedelta(minutes=1)).total_seconds()))}'
