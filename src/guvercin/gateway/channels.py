"""The owner's channels for alerts: mail over SMTP, and ntfy on the phone."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

from guvercin.core.hook import Notice
from guvercin.gateway.couriers import Calls
from guvercin.locale import Translator
from guvercin.locale.alerts import TRIAL, TRIAL_BODY, letter

_SMTP_LIMIT = 20.0


def written(say: Translator, notices: Sequence[Notice]) -> tuple[str, str]:
    """Answer the subject and the text of what was said; without a notice, those of a trial."""
    if not notices:
        return say(TRIAL), say(TRIAL_BODY)
    return letter(say, [(notice.kind.value, notice.detail) for notice in notices])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mailbox of the owner's, and the server that takes mail for it. The password doesn't show when it is printed."""

    say: Translator
    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str | None
    password: str | None = field(repr=False)
    sender: str
    to: Sequence[str]
    name: str = "eposta"

    async def carry(self, notices: Sequence[Notice]) -> None:
        """Send one mail. OSError (smtplib's errors among them): it was not taken."""
        await asyncio.to_thread(self._send, *written(self.say, notices))

    async def close(self) -> None:
        """Nothing is open between two mails."""

    def _send(self, subject: str, text: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, ", ".join(self.to), subject
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        with self._connected() as server:
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user and self.password:
                server.login(self.user, self.password)
            server.send_message(mail)

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SMTP_LIMIT, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=_SMTP_LIMIT)


class Ntfy:
    """A topic of an ntfy server, to which the owner's phone listens."""

    name = "ntfy"

    def __init__(self, say: Translator, *, url: str, token: str | None, open_way: Callable[[], Calls]) -> None:
        """Take the topic's address. The way out is opened with the first message."""
        self._say = say
        self._url = url
        self._token = token
        self._open_way = open_way
        self._way: Calls | None = None

    async def carry(self, notices: Sequence[Notice]) -> None:
        """Publish one message. OSError: it was not taken."""
        subject, text = written(self._say, notices)
        headers = {"content-type": "text/plain; charset=utf-8", "x-title": _header(subject)}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        self._way = self._way or self._open_way()
        called = await self._way.post(self._url, text.encode(), headers)
        if called.trouble is not None:
            raise OSError(called.trouble.value)

    async def close(self) -> None:
        """Drop the connection, if there ever was one."""
        if self._way is not None:
            await self._way.close()
            self._way = None


def _header(text: str) -> str:
    """Write a text as a header may hold it (RFC 2047, which ntfy reads)."""
    from email.header import Header  # noqa: PLC0415 -- for those who have a topic

    return text if text.isascii() else Header(text, "utf-8", maxlinelen=998).encode()
