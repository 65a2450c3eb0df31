"""The examples of the OpenAPI document: the seed's as printed, ours in its manner. Tests hold them to the models."""

from typing import Any

SEND_TEXT = {"telefon": "+905321234567", "mesaj": "Hello, your invoice is ready.", "isim": "John", "tur_id": 1}
SENT = {"ok": True, "log_id": 42, "message_id": "BAE5F4A1C..."}
STANDING = {"ok": True, "log_id": 42, "message_id": None, "durum": "queued"}

SEND_BATCH = {
    "alicilar": [
        {"telefon": "+905321234567", "isim": "Ali"},
        {"telefon": "+905339876543", "isim": "Veli"},
    ],
    "mesaj": "Balance reminder",
    "tur_id": 5,
}
BATCH_SENT = {"ok": True, "total": 2, "sent": 2, "failed": 0}
BATCH_STANDING = {
    "ok": True,
    "total": 1000,
    "sent": 3,
    "failed": 1,
    "queued": 996,
    "toplu_id": 17,
    "durum_url": "/api/v1/whatsapp/toplu/17",
    "tahmini_bitis": "2026-02-23 17:16:00",
}

SEND_FILE = {"telefon": "+905321234567", "dosya_yolu": "/faturalar/FTR-001.pdf", "mesaj": "Invoice attached"}
FILE_SENT = {"ok": True, "log_id": 43, "message_id": "CAE7B2D..."}

ACCOUNTS = {
    "ok": True,
    "data": [
        {
            "id": 1,
            "isim": "Main Account",
            "telefon": "+905551234567",
            "durum": "connected",
            "varsayilan": True,
            "tur": "sandbox",
            "kod": None,
            "eylem": None,
            "son_baglanti": "2026-02-23 09:00:00",
        },
    ],
}

STATUS = {
    "ok": True,
    "data": {
        "id": 42,
        "durum": "delivered",
        "alici": "+905321234567",
        "gonderim_zamani": "2026-02-23 14:30:00",
        "gonderim_zamani_iso": "2026-02-23T14:30:00+03:00",
        "message_id": "BAE5F4A1C...",
        "neden": None,
        "iletim_zamani": "2026-02-23 14:30:02",
        "okunma_zamani": None,
        "isim": "John",
        "tur_id": 1,
        "hesap_id": 1,
        "toplu_id": None,
        "referans": "FTR-001",
        "deneme_sayisi": 1,
    },
}

CANCEL_REFERENCE = {"referans": "FTR-001"}
CANCELLED = {"ok": True, "adet": 2}

BATCH = {
    "ok": True,
    "data": {
        "id": 17,
        "durum": "running",
        "total": 1000,
        "sent": 3,
        "failed": 1,
        "queued": 996,
        "dagilim": {
            "queued": 994,
            "scheduled": 0,
            "sending": 1,
            "unknown": 1,
            "sent": 1,
            "delivered": 1,
            "read": 1,
            "failed": 1,
            "cancelled": 0,
        },
        "tahmini_bitis": "2026-02-23 17:16:00",
        "tahmini_bitis_iso": "2026-02-23T17:16:00+03:00",
        "neden": None,
        "hesap_id": 1,
        "tur_id": 5,
        "kayit_zamani": "2026-02-23 14:30:00",
        "kayit_zamani_iso": "2026-02-23T14:30:00+03:00",
    },
}

REHEARSED: dict[str, Any] = {
    "ok": True,
    "total": 3,
    "gonderilecek": 1,
    "hatali": 1,
    "mukerrer": 1,
    "kabul_edilir": True,
    "ornek": "Balance reminder",
    "sure_sn": 10,
    "tahmini_bitis": "2026-02-23 14:30:10",
    "tahmini_bitis_iso": "2026-02-23T14:30:10+03:00",
    "suresi_yetmeyen": 0,
    "hesap_id": 1,
    "uyari": None,
    "satirlar": [
        {
            "satir": 2,
            "alici": "0532 123",
            "sonuc": "hatali",
            "kod": "gecersiz_telefon",
            "mesaj": "Digits are missing. A Turkish number has 10 digits after the country code.",
            "cozum": "Write it like +905321234567; 0532 123 45 67 is understood too. Foreign numbers need their "
            "country code.",
            "engel": False,
        },
        {
            "satir": 3,
            "alici": "+905321234567",
            "sonuc": "mukerrer",
            "kod": "mukerrer",
            "mesaj": "This number stands more than once in the list; it gets one message.",
            "cozum": "Nothing. If two different messages were meant, send them one by one.",
            "engel": False,
        },
    ],
    "gosterilmeyen": 0,
    "neden": None,
    "neden_bitis": None,
    "bekleyisler": [],
}

LIST_READ: dict[str, Any] = {
    **REHEARSED,
    "taslak_id": "5d41402abc4b2a76b9719d911017c592",
    "gecerlilik": "2026-02-24 14:30:00",
    "basliklar": ["Cari Adı", "Cep Tel", "Borç (TL)"],
    "sutunlar": {"telefon": "Cep Tel", "isim": "Cari Adı", "soyisim": None, "referans": None},
    "degiskenler": ["borc tl", "cari adi", "cep tel", "isim"],
    "bozuk_harf": False,
}

UPLOADED: dict[str, Any] = {
    "ok": True,
    "dosya_id": "9f86d081884c7d659a2feaa0c55ad015",
    "dosya_adi": "FTR-001.pdf",
    "dosya_turu": "application/pdf",
    "boyut": 48213,
}

CATEGORIES: dict[str, Any] = {
    "ok": True,
    "data": [
        {
            "id": 1,
            "kod": "fatura",
            "ad": "Fatura",
            "ticari": False,
            "sessiz_saat": False,
            "gecerlilik_dk": 2880,
            "oncelik": "normal",
        },
    ],
}
CHANGE_CATEGORY = {"ad": "Servis", "sessiz_saat": True, "gecerlilik_dk": 720, "oncelik": "yuksek"}
CATEGORY: dict[str, Any] = {
    "ok": True,
    "data": {
        "id": 11,
        "kod": "servis",
        "ad": "Servis",
        "ticari": False,
        "sessiz_saat": True,
        "gecerlilik_dk": 720,
        "oncelik": "yuksek",
    },
}

ADD_OPT_OUT = {"telefon": "+905321234567", "kapsam": "her_sey", "yazdigi": "Telefonda söyledi"}
_OPT_OUT: dict[str, Any] = {
    "id": 7,
    "telefon": "+905321234567",
    "kapsam": "her_sey",
    "kaynak": "api",
    "hesap_id": None,
    "yazdigi": "Telefonda söyledi",
    "kayit_zamani": "2026-02-23 14:30:00",
    "kayit_zamani_iso": "2026-02-23T14:30:00+03:00",
    "bitis_zamani": None,
    "bitiren": None,
    "bitis_nedeni": None,
}
OPT_OUT: dict[str, Any] = {"ok": True, "data": _OPT_OUT}
OPT_OUTS: dict[str, Any] = {"ok": True, "data": [_OPT_OUT], "sonraki": None}
_DOUBTED = _OPT_OUT | {
    "id": 8,
    "kapsam": "bakilacak",
    "kaynak": "mesaj",
    "hesap_id": 1,
    "yazdigi": "Bir daha mesaj atmayın lütfen",
}
DOUBTED: dict[str, Any] = {"ok": True, "data": [_DOUBTED], "sonraki": None}
DECIDE_OPT_OUT = {"karar": "ret"}
ENDED = {"ok": True, "adet": 1}

_RECEIVED: dict[str, Any] = {
    "id": 7,
    "hesap_id": 1,
    "gonderen": "+905321234567",
    "isim": "Ayşe",
    "tip": "gorsel",
    "metin": "Bu renkten var mı?",
    "medya": {
        "tur": "image/jpeg",
        "ad": None,
        "boyut": 48213,
        "dosya_url": "/api/v1/whatsapp/gelen/7/dosya",
    },
    "message_id": "3EB0C767D26A1B2C3D4E",
    "zaman": "2026-02-23 14:30:00",
    "zaman_iso": "2026-02-23T14:30:00+03:00",
    "alinma_zamani": "2026-02-23 14:30:01",
    "alinma_zamani_iso": "2026-02-23T14:30:01+03:00",
    "okundu": False,
    "okunma_zamani": None,
}
RECEIVED: dict[str, Any] = {"ok": True, "data": _RECEIVED}
RECEIVED_AND_READ: dict[str, Any] = {
    "ok": True,
    "data": _RECEIVED | {"okundu": True, "okunma_zamani": "2026-02-23 14:31:10"},
}
INBOX: dict[str, Any] = {"ok": True, "data": [_RECEIVED], "okunmamis": 1, "sonraki": None}
READ_INBOX = {"son_id": 7}

HOLD_PERSON = {"neden": "2026/114 E."}
_HOLD = {"neden": "2026/114 E.", "baslangic": "2026-02-23 14:30:00"}
HOLD: dict[str, Any] = {"ok": True, "data": _HOLD}
DOSSIER: dict[str, Any] = {
    "ok": True,
    "data": {
        "telefon": "+905321234567",
        "mesajlar": [],
        "ret": [_OPT_OUT],
        "onaylar": [],
        "gelen": [{"hesap_id": 1, "zaman": "2026-02-23 14:30:00", "isim": "Ayşe", "metin": "Merhaba"}],
        "sohbetler": [{"hesap_id": 1, "son_yazdigi": "2026-02-23 14:30:00", "son_yazilan": None}],
        "numara_kontrol": [{"hesap_id": 1, "whatsappta": True, "zaman": "2026-02-23 14:30:00"}],
        "taslak": 0,
        "yasal_saklama": None,
    },
}
ERASURE: dict[str, Any] = {
    "ok": True,
    "data": {"mesaj": 12, "ret": 1, "dosya": 2, "diger": 3, "kalinti": False, "kopyalar": []},
}
AUDIT: dict[str, Any] = {
    "ok": True,
    "data": [
        {
            "id": 41,
            "zaman": "2026-02-23 14:30:00",
            "zaman_iso": "2026-02-23T14:30:00+03:00",
            "ne": "ret.kaldirildi",
            "konu": "hesap:2",
            "kim": "muhasebe",
            "anahtar_id": 3,
            "yol": "api",
            "adres": "192.0.2.7",
            "ayrinti": {"ret_id": 7, "kapsam": "her_sey", "kaynak": "api"},
        }
    ],
    "sonraki": None,
}
DESTRUCTIONS: dict[str, Any] = {
    "ok": True,
    "data": [
        {
            "id": 9,
            "baslangic": "2026-02-23 03:30:00",
            "bitis": "2026-02-23 03:30:04",
            "neden": "sure_doldu",
            "metin": 1_204,
            "kayit": 310,
            "dosya": 0,
            "diger": 12,
        }
    ],
    "sonraki": None,
}

ADD_CONSENT = {
    "telefon": "+905321234567",
    "onay_kaynagi": "HS_WEB",
    "onay_zamani": "2026-02-20 10:15:00",
    "metin_surumu": "2026-01",
}
_CONSENT: dict[str, Any] = {
    "id": 3,
    "telefon": "+905321234567",
    "alici_turu": "BIREYSEL",
    "onay_kaynagi": "HS_WEB",
    "onay_zamani": "2026-02-20 10:15:00",
    "onay_zamani_iso": "2026-02-20T10:15:00+03:00",
    "metin_surumu": "2026-01",
    "kanit_dosya_adi": None,
    "kayit_zamani": "2026-02-23 14:30:00",
    "kayit_zamani_iso": "2026-02-23T14:30:00+03:00",
}
CONSENT: dict[str, Any] = {"ok": True, "data": _CONSENT}
CONSENTS: dict[str, Any] = {"ok": True, "data": [_CONSENT], "sonraki": None}

ADD_ACCOUNT = {"isim": "Deneme 2", "tur": "sandbox"}
CHANGE_ACCOUNT = {"isim": "Muhasebe", "araliklar": {"toplu": {"en_az": 10.0, "en_cok": 25.0}}}
ACCOUNT = {
    "ok": True,
    "data": {
        "id": 2,
        "isim": "Deneme 2",
        "telefon": "+905000000000",
        "durum": "connected",
        "varsayilan": False,
        "tur": "sandbox",
        "kod": None,
        "eylem": None,
        "son_baglanti": "2026-02-23 09:00:00",
        "acik": True,
        "araliklar": {"tekli": {"en_az": 0.2, "en_cok": 0.2}, "toplu": {"en_az": 0.2, "en_cok": 0.2}},
        "hiz": None,
        "sinirlar": None,
        "sessiz_saat": False,
        "belirsiz": "bekle",
        "islem_bildirimleri": False,
        "gonderen_unvani": None,
        "mukerrer_saat": None,
        "kayit_zamani": "2026-02-23 09:00:00",
        "kayit_zamani_iso": "2026-02-23T09:00:00+03:00",
    },
}
LINK_ACCOUNT = {"yontem": "qr"}
LINKING = {
    "ok": True,
    "data": {
        "durum": "gosteriliyor",
        "qr": "https://wa.me/settings/linked_devices#…",
        "kod": None,
        "gecerlilik": "2026-02-23 09:01:00",
        "gecerlilik_iso": "2026-02-23T09:01:00+03:00",
        "telefon": None,
        "varsayilan": False,
        "neden": None,
    },
}
HEALTH = {
    "ok": True,
    "data": {
        "id": 2,
        "durum": "connected",
        "canli": True,
        "bakildi": "2026-02-23 14:30:00",
        "kod": None,
        "eylem": None,
        "bu_yana": "2026-02-23 09:00:00",
        "bitis": None,
        "bitis_iso": None,
        "son_baglanti": "2026-02-23 09:00:00",
        "sinirlar": [{"ad": "gunluk_sinir", "sayilan": "mevcut", "saat": 24, "kullanilan": 120, "sinir": 300}],
        "isinma_gunu": 20,
        "kisitlar": [],
    },
}
LOOKUP = {"ok": True, "data": {"telefon": "+905321234567", "whatsappta": True, "hesap_id": 2}}
MARK_READ = {"message_id": "wamid.HBgMOTA1MzIxMjM0NTY3FQIAEhg"}
UNCLEAR = {
    "ok": True,
    "data": [
        {
            "zaman": "2026-02-23 14:30:00",
            "zaman_iso": "2026-02-23T14:30:00+03:00",
            "ne": "messages.system",
            "govde": '{"type":"system","system":{"type":"user_changed_number"}}',
        },
    ],
}
DONE = {"ok": True}
REMOVED = {"ok": True, "uyari": None}

ADD_WEBHOOK = {"url": "https://magaza.example/webhook", "olaylar": ["mesaj.iletildi", "mesaj.basarisiz"]}
NEW_WEBHOOK = {
    "success": True,
    "data": {
        "id": 1,
        "url": "https://magaza.example/webhook",
        "olaylar": ["mesaj.iletildi", "mesaj.basarisiz"],
        "secret": "whsec_...",
    },
    "message": "Webhook kaydedildi.",
}
WEBHOOK: dict[str, Any] = {
    "success": True,
    "data": {
        "id": 1,
        "url": "https://magaza.example/webhook",
        "olaylar": ["mesaj.iletildi", "mesaj.basarisiz"],
        "durum": "aktif",
        "hesaplar": None,
        "neden": None,
        "hata_baslangici": None,
        "son_iletim": "2026-02-23 14:30:02",
        "kayit_zamani": "2026-02-01 09:00:00",
        "kayit_zamani_iso": "2026-02-01T09:00:00+03:00",
    },
}
WEBHOOKS = {"success": True, "data": [WEBHOOK["data"]]}
CHANGE_WEBHOOK = {"durum": "aktif"}
WEBHOOK_GONE = {"success": True, "message": "Webhook silindi."}
RENEW_SECRET: dict[str, Any] = {}
REPLAY_SINCE = {"baslangic": "2026-02-23 14:00:00"}
REPLAYED = {"success": True, "message": "Yeniden iletiliyor."}
TRIAL = {
    "success": True,
    "data": {
        "kabul": True,
        "http": 200,
        "neden": None,
        "mesaj": None,
        "sure_ms": 84,
        "giden": '{"type":"webhook.deneme","timestamp":"2026-02-23T14:30:00+03:00","data":{"deneme":true}}',
        "gelen": "ok",
    },
}
DELIVERIES = {
    "success": True,
    "data": [
        {
            "id": 812,
            "olay": "mesaj.iletildi",
            "webhook_id": "msg_812",
            "zaman": "2026-02-23 14:30:02",
            "durum": "bekliyor",
            "deneme_sayisi": 2,
            "son_deneme": "2026-02-23 14:30:08",
            "sonraki_deneme": "2026-02-23 14:35:03",
            "http": 500,
            "neden": "olumsuz_yanit",
            "sure_ms": 84,
            "log_id": 42,
            "toplu_id": None,
            "hesap_id": 1,
        },
    ],
    "sonraki": None,
}

SIGN_IN = {"api_key": "pk_live_...", "api_secret": "sk_live_..."}
PASS = {
    "success": True,
    "data": {"token": "gp_...", "expires_at": "2026-02-23T14:30:00Z", "token_type": "Bearer"},
}
SIGNED_OUT = {"success": True, "message": "Token başarıyla iptal edildi."}
EVENT_FEED = {
    "ok": True,
    "data": [
        {
            "id": "msg_812",
            "type": "mesaj.iletildi",
            "timestamp": "2026-02-23T14:30:02+03:00",
            "data": {"log_id": 42, "durum": "delivered"},
        },
    ],
    "sonraki": "AAAAAAAAAyw",
}
