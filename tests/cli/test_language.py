import pytest

from guvercin.cli.terminal import language, size_in_words
from guvercin.locale import Language, translator


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Language.TR),
        ({"LANG": "C"}, Language.TR),
        ({"LANG": "POSIX"}, Language.TR),
        ({"LANG": "C.UTF-8"}, Language.TR),
        ({"LANG": "tr_TR.UTF-8"}, Language.TR),
        ({"LANG": "de_DE.UTF-8"}, Language.TR),
        ({"LANG": "en_US.UTF-8"}, Language.EN),
        ({"LC_ALL": "en_GB", "LANG": "tr_TR"}, Language.EN),
        ({"LC_ALL": "C", "LANG": "en_US"}, Language.TR),
        ({"LC_ALL": "", "LANG": "en_US"}, Language.EN),
        ({"GUVERCIN_LANG": "tr", "LC_ALL": "en_US", "LANG": "en_US"}, Language.TR),
        ({"GUVERCIN_LANG": "en", "LANG": "tr_TR"}, Language.EN),
        ({"GUVERCIN_LANG": "EN-us"}, Language.EN),
    ],
)
def test_english_only_where_it_is_asked_for(environ: dict[str, str], expected: Language) -> None:
    assert language(environ) is expected


@pytest.mark.parametrize(
    ("count", "turkish", "english"),
    [(0, "0 B", "0 B"), (1023, "1023 B", "1023 B"), (1536, "1,5 KB", "1.5 KB"), (3 * 1024**4, "3,0 TB", "3.0 TB")],
)
def test_sizes(count: int, turkish: str, english: str) -> None:
    assert size_in_words(translator(Language.TR), count) == turkish
    assert size_in_words(translator(Language.EN), count) == english
