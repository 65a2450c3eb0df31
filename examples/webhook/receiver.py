"""Receive webhooks: verify each, keep it once, answer quickly. Needs Python and the package standardwebhooks.

export WEBHOOK_SECRET=whsec_...
python3 examples/webhook/receiver.py --port 9000 --kept received.jsonl
"""

import argparse
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST = 20_000
"""Bytes of a body: a delivery has no more."""


class Book:
    """What was received, one line of JSON each, and nothing twice: deliveries come at least once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = {json.loads(line)["id"] for line in path.read_text().splitlines()} if path.exists() else set()
        self._lock = threading.Lock()

    def keep(self, name: str, event: object) -> bool:
        """Keep an event under its name; says whether it is new."""
        with self._lock:
            if name in self._known:
                return False
            with self._path.open("a") as file:
                file.write(json.dumps({"id": name, "event": event}, ensure_ascii=False) + "\n")
            self._known.add(name)
            return True


class Receiver(BaseHTTPRequestHandler):
    """One request: 401 for what isn't signed by your Güvercin, 204 for what is kept."""

    protocol_version = "HTTP/1.1"
    secret: Webhook
    book: Book

    def do_POST(self) -> None:
        """Take a delivery."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            self._answer(413)
            return
        body = self.rfile.read(length)  # the bytes as they came: signed is what was sent, not what it means
        try:
            event = self.secret.verify(body, dict(self.headers))
        except WebhookVerificationError:
            self._answer(401)
            return
        if self.book.keep(self.headers["webhook-id"], event):
            print(event["type"], json.dumps(event["data"], ensure_ascii=False), flush=True)
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Say nothing of each request."""


def main() -> None:
    """Receive until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--kept", type=Path, default=Path("received.jsonl"))
    asked = parser.parse_args()
    secret = os.environ.get("WEBHOOK_SECRET", "")
    if not secret.startswith("whsec_"):
        sys.exit("Set WEBHOOK_SECRET to the secret that «guvercin webhook ekle» printed.")
    Receiver.secret, Receiver.book = Webhook(secret), Book(asked.kept)
    with ThreadingHTTPServer(("127.0.0.1", asked.port), Receiver) as server:
        print(f"http://127.0.0.1:{asked.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
