"""How every answer is written, and the headers that go with it."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from starlette.responses import Response

from guvercin.api.answers.ground import Answered

PREFIX = "/api/v1/whatsapp"


def reply(answer: Answered, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer a model as its JSON: UTF-8, nothing escaped that need not be."""
    body = answer.__pydantic_serializer__.to_json(answer, by_alias=True)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def marks(*, is_sandbox: bool, is_replayed: bool = False, is_repeated: bool = False) -> dict[str, str]:
    """Answer the headers that say how an answer is to be read: played by the simulator, or given before."""
    headers = {}
    if is_sandbox:
        headers["X-Guvercin-Deneme"] = "1"
    if is_replayed:
        headers["Idempotency-Replayed"] = "true"
    if is_repeated:
        headers["Tekrar"] = "1"
    return headers


def clock_time(at: datetime, zone: tzinfo) -> str:
    """Write a moment as the seed does: wall-clock time of the configured zone."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat(" ", "seconds")


def iso_time(at: datetime, zone: tzinfo) -> str:
    """Write a moment with its offset."""
    return at.astimezone(zone).isoformat(timespec="seconds")
