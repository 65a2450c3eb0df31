"""Lists as shops have them: nothing in them is as a program would write it."""

import io

import openpyxl

GOOD, REPEATED, BAD = 6, 2, 6


def nasty_excel() -> bytes:
    """Answer a workbook whose rows want every kind of care: GOOD, REPEATED and BAD of them."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(["Müşteri Adı", "Cep Tel", "Borç (TL)", "Son Ödeme Tarihi"])
    for row in (
        ["Ayşe Yılmaz", "0532 123 45 67", "1.250,00", "30.11.2026"],
        ["Mehmet Öz", 5339876543, 480.5, "30.11.2026"],
        ["Fatma Işık", "9,05321E+11", "90,00", ""],
        ["=HYPERLINK(1)", "+90 (544) 222 33 44", "75,00", ""],
        ["Ali Şen", "0532 123 45 67", "1", ""],
        ["Çınar <b>Market</b>", "0555 111 22 33 / 0212 555 11 22", "3.400,00", ""],
        ["", "0505 111 22 33", "10", ""],
        ["Eksik", "0532 123 4", "10", ""],
        ["Harf", "abc", "10", ""],
        ["Boş", "", "10", ""],
        ["Servis", "444 0 333", "10", ""],
        ["Tekrar", "+905339876543", "10", ""],
        [None, None, None, None],
        ["Fazla", "0532 123 45 67 89 12", "10", ""],
        ["Sonuncu", 905061112233.0, "10", ""],
    ):
        sheet.append(row)
    book.save(file)
    return file.getvalue()
