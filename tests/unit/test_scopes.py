"""How far a failure reaches, for every kind of error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash2plex.errors import (
    ENDPOINT,
    FIELD,
    ITEM,
    LIBRARY,
    SERVER,
    Ambiguous,
    LibraryUnread,
    NotFound,
    NotInPlexYet,
    Refused,
    Rejected,
    ServerError,
    StoreUnavailable,
    TooLarge,
    Transient,
    Unavailable,
)
from stash2plex.rules.scopes import costs_attempt, known_scope, scope_of

SCOPES = [FIELD, ITEM, ENDPOINT, LIBRARY, SERVER]
KINDS = [Unavailable, Refused, Transient, NotFound, TooLarge, Rejected, ServerError]


@pytest.mark.parametrize(
    ("error", "scope"),
    [
        (Refused("Plex", "401"), SERVER),
        (Unavailable("Plex", "500"), None),
        (Unavailable("Plex", "429", retry_after=5.0), SERVER),
        (Unavailable("Plex", "none asked for", retry_after=0.0), None),
        (Transient("Plex", "odd"), ITEM),
        (NotFound("Plex", "404"), ITEM),
        (TooLarge("Plex", "64 MiB"), ITEM),
        (Rejected("Plex", "400"), ITEM),
        (NotInPlexYet("not yet"), ITEM),
        (Ambiguous("two"), ITEM),
        (LibraryUnread("its list fails"), ITEM),
        (StoreUnavailable("full"), ITEM),
        (ValueError("a fault"), ITEM),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_an_error_shows_alone(error, scope):
    assert known_scope(error) == scope
    for works in (True, False):
        expected = scope or (ITEM if works else SERVER)
        assert scope_of(error, server_works=works) == expected


@given(st.sampled_from(KINDS), st.sampled_from(SCOPES), st.booleans())
def test_what_an_error_names_itself_goes_before_everything_else(kind, scope, works):
    error = kind("Plex", "it failed", scope=scope)
    assert known_scope(error) == scope
    assert scope_of(error, server_works=works) == scope
    assert known_scope(error.with_words("other words")) == scope


def test_only_a_scene_that_met_its_own_failure_pays():
    assert [scope for scope in SCOPES if costs_attempt(scope)] == [FIELD, ITEM]


def test_a_failure_whose_reach_is_known_is_not_guessed():
    known = Rejected("Plex", "Plex does not take the title.")
    known.scope = "field"
    assert {scope_of(known, server_works=works) for works in (True, False)} == {"field"}
    open_ = Transient("Plex", "Plex answered with half a page.")
    if known_scope(open_) is None:
        assert scope_of(open_, server_works=True) == "item"
        assert scope_of(open_, server_works=False) == "server"
