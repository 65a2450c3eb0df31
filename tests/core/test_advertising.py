"""Words that sound like advertising, and those that don't."""

import pytest

from guvercin.core.advertising import sounds_like_advertising


@pytest.mark.parametrize(
    "text",
    [
        "Bu hafta %20 indirim!",
        "KAMPANYA başladı",
        "Büyük FIRSAT",
        "fırsatları kaçırmayın",
        "Size özel hediye çeki",
        "Tüm ürünlerde % 50",
        "50% off",
        "Kampanyamız devam ediyor",
    ],
)
def test_a_campaign_is_recognised(text: str) -> None:
    assert sounds_like_advertising(text)


@pytest.mark.parametrize(
    "text",
    [
        "Faturanız hazır.",
        "Tutar 1.250,00 ₺ (%20 KDV dahil)",
        "KDV %10 eklenmiştir",
        "Randevunuz yarın 14:30",
        "Siparişiniz yola çıktı",
        "Bakiyeniz 350 ₺",
        "",
    ],
)
def test_a_notice_is_left_alone(text: str) -> None:
    assert not sounds_like_advertising(text)
