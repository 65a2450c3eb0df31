"""What may become of a call to an address of somebody else's choosing."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from guvercin.core.address import AddressFault


class CallTrouble(StrEnum):
    """Why a call has no good answer, as the wire names it."""

    UNREADABLE = AddressFault.UNREADABLE.value
    NOT_HTTPS = AddressFault.NOT_HTTPS.value
    PORT = AddressFault.PORT.value
    FORBIDDEN = AddressFault.FORBIDDEN.value
    UNKNOWN_NAME = "ad_bulunamadi"
    NO_CONNECTION = "baglanti_yok"
    CERTIFICATE = "sertifika_gecersiz"
    TOO_SLOW = "yanit_gelmedi"
    BROKEN_OFF = "yarida_kesildi"
    REDIRECTED = "yonlendirdi"
    REFUSED = "olumsuz_yanit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What became of a call. `trouble` null: it was taken. `shown` is the beginning of the answer, where it may be."""

    trouble: CallTrouble | None
    status: int | None = None
    retry_after: timedelta | None = None
    took: timedelta = timedelta(0)
    shown: str | None = None
