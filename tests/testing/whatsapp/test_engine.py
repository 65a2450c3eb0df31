"""Whether the tests beside this one can run here at all."""

import pytest
from tests.testing.whatsapp.driving import why_there_is_no_engine


def test_the_engine_runs_here() -> None:
    if reason := why_there_is_no_engine():
        pytest.skip(reason)  # .ci/run installs what it needs: there this skip is a failure
