"""The file of a message that came in, fetched when it is asked for."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from guvercin.api import problems
from guvercin.api.auth import Reader
from guvercin.api.documented import INBOX, SIGNED_IN, operation_id
from guvercin.api.inbox import InboundId
from guvercin.api.reception import reception_of
from guvercin.api.render.ground import PREFIX
from guvercin.core.errors import Code
from guvercin.core.sniffing import EXTENSIONS, UNKNOWN
from guvercin.gateway.attachments import to_save
from guvercin.gateway.reports import pieces
from guvercin.locale import sentence

router = APIRouter(prefix=PREFIX, tags=INBOX, generate_unique_id_function=operation_id)


@router.get(
    "/gelen/{inbound_id:int}/dosya",
    summary=sentence("The file that came with a message"),
    description=sentence(
        "Fetches the file from WhatsApp now, up to 32 MB, and keeps a copy: the next time costs nothing. The type is "
        "what the content says."
    ),
    response_class=Response,
    responses={
        200: {
            "description": sentence("Done."),
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (UNKNOWN, *EXTENSIONS)},
        },
        **problems.responses(
            *SIGNED_IN,
            Code.NOT_FOUND,
            Code.INVALID_FIELD,
            Code.INBOUND_FILE_GONE,
            Code.INBOUND_FILE_LARGE,
            Code.INBOUND_FILE_AWAY,
            Code.ELSEWHERE,
            Code.STORE_UNAVAILABLE,
            Code.UNSUPPORTED,
        ),
    },
)
async def file_of_inbox(request: Request, reader: Reader, inbound_id: InboundId) -> Response:
    """Answer the file of a message."""
    file = await reception_of(request).gateway.attachments.open(reader, inbound_id)
    return StreamingResponse(pieces(file.content), media_type=file.media_type, headers=to_save(file))
