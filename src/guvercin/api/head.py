"""A bound for what a request carries beside its body: the parser keeps every header, and has no limit of its own.

The body is bounded at the door (api/door.py); what stands before it and after it never gets there.
"""

from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

LARGEST_HEAD = 64 * 1024
"""Bytes of address, headers, chunk marks and trailers, counted after the first read of a request. A request whose body
is larger than this may have as much of them as of body: small chunks are legal."""

_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n"
    b"x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
)


class BoundedHead(HttpToolsProtocol):
    """uvicorn's reader of requests, which ends a connection that goes on and on without coming to its point."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._received = 0
        self._body = 0

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head of the request has grown beyond every measure."""
        self._received += len(data)
        super().data_received(data)
        if self._received - self._body > max(LARGEST_HEAD, self._body) and not self.transport.is_closing():
            cycle = cast("RequestResponseCycle | None", self.cycle)  # uvicorn says never null, and begins with null
            if cycle is None or cycle.response_complete:
                self.transport.write(_REFUSAL)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Count anew: what a connection carried before is answered."""
        self._received = self._body = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Set apart what counts as the body."""
        self._body += len(body)
        super().on_body(body)
