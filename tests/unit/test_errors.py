"""An error is what happened, what to do, and fields of its own."""

from __future__ import annotations

import pytest

from stash2plex.db import store_error
from stash2plex.errors import (
    SLOW,
    Ambiguous,
    ConfigError,
    Refused,
    StashGone,
    Unavailable,
)


def test_the_text_of_an_error_joins_what_happened_and_what_to_do():
    assert str(ConfigError("Plex URL is not set.", "Fill it in.")) == (
        "Plex URL is not set. Fill it in."
    )
    assert str(ConfigError("Plex URL is not set.")) == "Plex URL is not set."


@pytest.mark.parametrize(
    "error",
    [
        Ambiguous("Two piers fit.", "Name one."),
        StashGone(),
        Unavailable("Plex", "Plex is busy.", "Wait.", cause=SLOW, retry_after=90.0),
        Refused("Stash", "Stash wants a log-in.", wants_login=True),
    ],
    ids=lambda error: error.reason,
)
def test_an_error_in_other_words_keeps_its_kind_and_its_fields(error):
    before = dict(vars(error))
    other = error.with_words("Harbour task: it failed.", "Press it again.")
    assert type(other) is type(error)
    assert str(other) == "Harbour task: it failed. Press it again."
    assert vars(other) == {
        **before, "what": "Harbour task: it failed.", "fix": "Press it again."
    }  # fmt: skip
    assert vars(error) == before
    assert error.with_words("Harbour task: it failed.").fix is None


def test_an_error_of_the_system_without_a_number_has_the_common_cure():
    assert store_error(OSError("The lamp is out."), "a.db").fix == (
        store_error(OSError(9_999, "The lamp is out."), "a.db").fix
    )
