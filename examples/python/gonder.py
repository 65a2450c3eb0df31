"""Send one message and wait until it is delivered. Needs Python alone."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

URL = os.environ.get("GUVERCIN_URL", "http://127.0.0.1:8080") + "/api/v1/whatsapp"
TOKEN = os.environ.get("GUVERCIN_TOKEN", "")


class Refused(Exception):
    """The server said no: `code` is for programs, the text for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code


def call(method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    """Ask the server and answer its JSON; raise Refused when it refuses."""
    request = urllib.request.Request(
        URL + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        with error:
            refusal = json.load(error)
        raise Refused(refusal["kod"], refusal["hata"]) from None


def main() -> int:
    """Send, then ask until the message has arrived."""
    if not TOKEN:
        sys.exit("GUVERCIN_TOKEN boş: guvercin anahtar uret | GUVERCIN_TOKEN is empty: guvercin token create")
    # The same key again never makes a second message. Here: one per run; in your program: the invoice's number.
    key = str(uuid.uuid4())
    message = {"telefon": "+905000000001", "mesaj": "Merhaba, faturanız hazır.", "isim": "Ayşe"}
    log_id = call("POST", "/gonder", message, **{"Idempotency-Key": key})["log_id"]
    print("log_id:", log_id)

    status = ""
    for _ in range(60):
        status = call("GET", f"/durum/{log_id}")["data"]["durum"]
        if status in {"delivered", "read"}:
            print("durum:", status)
            return 0
        if status in {"failed", "cancelled"}:
            break
        time.sleep(0.5)
    print("durum:", status, file=sys.stderr)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refused:
        sys.exit(str(refused))
    except urllib.error.URLError as unreachable:
        sys.exit(f"{URL}: {unreachable.reason}")
