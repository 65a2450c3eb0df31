"""The closed list of codes, and the one exception that carries them.

GuvercinError            a request can't be done; nothing was changed
└── (no subclasses)      the code says which; fields say where

The same codes are the reasons of messages and lines, so API, log and terminal speak one list. Prose lives in
`guvercin.locale`; the HTTP status of a code in `guvercin.api.problems`. A code enters with the feature that raises it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Code(StrEnum):
    """Every reason that a machine may read. The words never change their meaning."""

    # -- how a request was written
    BROKEN_JSON = "bozuk_json"
    NOT_UTF8 = "utf8_degil"
    WRONG_CONTENT_TYPE = "icerik_turu"
    BODY_TOO_LARGE = "govde_buyuk"
    TOO_MANY_RECIPIENTS = "cok_fazla_alici"
    UNKNOWN_METHOD = "yontem_yok"
    NOT_FOUND = "bulunamadi"
    UNSUPPORTED = "desteklenmiyor"
    # -- who asks
    NO_TOKEN = "anahtar_yok"
    INVALID_TOKEN = "anahtar_gecersiz"
    NOT_ALLOWED = "yetki_yok"
    NO_SIGNATURE = "imza_yok"
    WRONG_SIGNATURE = "imza_gecersiz"
    TOO_MANY_REQUESTS = "istek_siniri"
    DAILY_QUOTA = "gunluk_kota"
    # -- a field
    INVALID_FIELD = "gecersiz_alan"
    INVALID_PHONE = "gecersiz_telefon"
    INVALID_CATEGORY = "gecersiz_tur"
    EMPTY_TEXT = "bos_mesaj"
    LONG_TEXT = "uzun_mesaj"
    INVALID_TIME = "gecersiz_zaman"
    INVALID_TEMPLATE = "gecersiz_sablon"
    UNREADABLE_LIST = "liste_okunamadi"
    FILE_NOT_OPENED = "dosya_acilamadi"
    FILE_TYPE = "dosya_turu"
    FILE_TOO_LARGE = "dosya_buyuk"
    KEY_MISMATCH = "tekrar_anahtari_uyusmuyor"
    SANDBOX_NUMBER = "deneme_numarasi"
    # -- what people want
    OPTED_OUT = "alici_ret_etti"
    NO_CONSENT = "onay_yok"
    NO_SENDER_TITLE = "gonderen_unvani_yok"
    DECLARATION_NEEDED = "beyan_gerekli"
    SOUNDS_COMMERCIAL = "kampanya_sozu"
    SENT_LATELY = "yakinda_gonderildi"
    IN_HAND = "mesaj_yolda"
    ON_HOLD = "yasal_saklama"
    CONTENT_GONE = "icerik_silindi"
    # -- the state of things
    TOO_MANY_HOOKS = "cok_fazla_webhook"
    SECRET_UNREADABLE = "sir_okunamadi"
    NOT_CANCELLABLE = "iptal_edilemez"
    MESSAGES_WAITING = "sirada_mesaj_var"
    ALREADY_LINKED = "zaten_bagli"
    NOT_CONNECTED = "hat_bagli_degil"
    NO_ACCOUNT = "hesap_yok"
    QUEUE_FULL = "kuyruk_dolu"
    STORE_UNAVAILABLE = "kayit_yapilamadi"
    SCHEMA_TOO_NEW = "sema_yeni"
    CLOSING = "kapaniyor"
    ELSEWHERE = "baska_dugumde"
    INBOUND_FILE_GONE = "gelen_dosya_yok"
    INBOUND_FILE_LARGE = "gelen_dosya_buyuk"
    INBOUND_FILE_AWAY = "gelen_dosya_alinamadi"
    NO_FILE_ROOT = "dosya_koku_tanimsiz"
    META_UNREACHABLE = "meta_ulasilamiyor"
    INTERNAL = "ic_hata"
    # -- why a message failed, waits or is in doubt
    DUPLICATE = "mukerrer"
    EXPIRED = "suresi_doldu"
    WHATSAPP_REFUSED = "whatsapp_reddetti"
    NOT_ON_WHATSAPP = "numara_whatsappta_degil"
    NEW_CHATS_RESTRICTED = "yeni_sohbet_kisitli"
    MONTHLY_LIMIT = "aylik_sinir"
    MONTHLY_WARNING = "aylik_uyari"
    CHECKS_SPENT = "sorgu_siniri"
    NEEDS_TEMPLATE = "sablon_gerekli"
    RENEW_MEDIA = "medya_yenile"
    PUSHED_BACK = "gecici_hata"
    RETRIES_EXHAUSTED = "denemeler_bitti"
    LINE_DOWN = "hat_kapali"
    ANSWER_LOST = "yanit_kayboldu"
    CUT_SHORT = "yarida_kaldi"
    RESENT = "yeniden_gonderildi"
    GIVEN_UP = "vazgecildi"
    UNKNOWN_CATEGORY = "bilinmeyen_tur"
    UNLISTED_PREFIX = "yeni_on_ek"
    NOT_MOBILE = "cep_degil"
    LEFT_OUT = "alici_atlandi"
    STILL_ON_PHONE = "telefonda_kaldi"
    SEVERAL_NUMBERS = "birden_cok_numara"
    MANY_FAILED = "cok_basarisiz"
    MANY_NOT_ON_WHATSAPP = "cok_kayitsiz_numara"
    FEW_DELIVERED = "az_teslim"
    MANY_REFUSALS = "cok_ret"
    # -- why a line is not connected
    SWITCHED_OFF = "kapali"
    TEMPORARY_BAN = "gecici_yasak"
    BANNED_FOR_STRANGERS = "yasak_yabancilar"
    BANNED_FOR_BLOCKS = "yasak_engellenme"
    BANNED_FOR_GROUPS = "yasak_gruplar"
    BANNED_FOR_SAME_TEXT = "yasak_ayni_mesaj"
    BANNED_FOR_BROADCAST = "yasak_toplu_liste"
    NOT_LINKED = "bagli_degil"
    REMOVED = "cikarildi"
    OPENED_ELSEWHERE = "baska_yerde_acildi"
    SESSION_HELD = "oturum_bekleniyor"
    ENGINE_OUTDATED = "surum_eski"
    ENGINE_DOWN = "motor_calismiyor"
    LOCKED = "kilitli"
    CLOSED = "kapatildi"
    UNPAID = "odeme_gerekli"
    NOT_REGISTERED = "numara_kayitli_degil"
    TEMPLATE_STOPPED = "sablon_durdu"
    TEMPLATE_PLACE = "sablon_yeri_bos"
    PEOPLE_LIMIT = "meta_kisi_siniri"
    LINKING_TIMED_OUT = "baglama_suresi_doldu"
    LINKING_FAILED = "baglanamadi"
    NO_DELIVERIES = "teslim_yok"
    PASSKEY_NEEDED = "gecis_anahtari"


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field.

    `where` is the English attribute path («phone», «recipients.3.phone»): the API translates it. `fault` is the field's
    own code, finer than the error's («eksik_hane»); `params` fill its sentence.
    """

    where: str
    fault: str
    params: Mapping[str, str | int] = field(default_factory=dict)


class GuvercinError(Exception):
    """A request can't be done, for the reason that `code` names. Nothing was changed."""

    def __init__(
        self,
        code: Code,
        *,
        faults: tuple[FieldFault, ...] = (),
        log_id: int | None = None,
        retry_after: timedelta | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(code.value)
        self.code = code
        self.faults = faults
        self.log_id = log_id
        self.retry_after = retry_after
        self.params: Mapping[str, str | int] = params or {}
