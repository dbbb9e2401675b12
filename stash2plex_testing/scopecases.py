"""Every fault in every part of a server that it can be about: the data of a test and of its page.

`tests/faults/test_scopes.py` runs each pair against the stand-ins; `tools.build_docs` writes the
page from the same values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from stash2plex.errors import ENDPOINT, FIELD, ITEM, LIBRARY
from stash2plex_testing.faultcases import CASES, DONE, Case, Outcome

FAILS = "tried again, a dead letter at last"
REJECTED = "dead letter"
GONE = "looked up again later"
WAITS = "waits, and follows when the endpoint works"
WAITS_LIBRARY = "waits for the library, without losing attempts"
UNSENT = "not sent; the log names it"
NO_COVER = "in sync without a cover: 404 is how Stash says that it has none"
LENIENT = "in sync: the byte is read as U+FFFD"
NAMED = "looked up again later; the log names the place in the list"
APPLIED = "in sync: the next try finds it right"
UNREAD = "in sync: the body of this answer is not read"

BYTES = Case("a byte that is no UTF-8", Outcome("", DONE), {"Plex": {"kind": "bytes"}, "Stash": {}})
"""Plex's answers can hold such bytes in names of files and in titles (plex-2.md §1, 13)."""

SCOPED = (*CASES, BYTES)
"""The faults of which a part may be the reason."""

AWAY = (
    "connection reset", "no answer", "half an answer", "an answer byte by byte",
    "a page of HTML with 200", "500",
)  # fmt: skip
ODD = ("an answer without end", "409")
REJECTS = ("400", "413")
AFTER = (
    "reset after the write was applied", "no answer after the write was applied",
    "half an answer after the write was applied",
)  # fmt: skip
BODIES = ("broken JSON, or broken XML", "an empty answer")
REFUSES = ("a redirect to a log-in page", "a redirect to another host", "401", "403")
WHOLE = ("429 with Retry-After", "503 while Plex migrates its database")
STRANGERS = ("other items than were asked for",)
RAW = (BYTES.name,)
STASH_ONLY = (
    "JSON of another shape", "a GraphQL error: database is locked", "another GraphQL error",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part of a server that may fail alone.

    `scope` is its kind, `server` whose it is. `inside` says by fault what becomes of the part; all
    outside arrives. `never` says why a fault cannot be about it. `names` is what the message names,
    `more` the most requests that it may cost beside those of a run without the fault.
    """

    scope: str
    name: str
    server: str
    names: str
    more: int
    inside: Mapping[str, str] = field(default_factory=dict)
    never: Mapping[str, str] = field(default_factory=dict)


def _all(*groups: tuple[tuple[str, ...], str]) -> dict[str, str]:
    return {name: text for names, text in groups for name in names}


WHOLE_SERVER = "it speaks for the whole server"
ONLY_STASH = "Stash alone answers so"
ONLY_PLEX = "Plex alone answers so"
ONLY_READS = "only a read can show them"
ONLY_READ = "it is only read"
NO_NAMES = "the answer to a write shows no names"
IN_LISTS = "measured with the lists (faults at every stage)"
FOR_EDITS = _all(
    ((*REFUSES, *WHOLE), WHOLE_SERVER),
    (STASH_ONLY, ONLY_STASH),
    (STRANGERS, ONLY_READS),
    (RAW, NO_NAMES),
)
FOR_UPLOADS = _all(
    (WHOLE, WHOLE_SERVER),
    (STASH_ONLY, ONLY_STASH),
    (STRANGERS, ONLY_READS),
    (RAW, NO_NAMES),
)
FOR_ITEMS = _all(
    ((*REFUSES, *WHOLE), WHOLE_SERVER),
    (STASH_ONLY, ONLY_STASH),
    (AFTER, ONLY_READ),
)
OF_UPLOADS = _all(
    ((*AWAY, *ODD, *REFUSES, "404"), WAITS), (REJECTS, UNSENT), (AFTER, APPLIED), (BODIES, UNREAD)
)

PARTS = (
    Part(
        FIELD,
        "the summary of every item",
        "Plex",
        "the summary",
        80,
        _all(((*AWAY, *ODD), FAILS), (REJECTS, REJECTED), (AFTER, APPLIED)),
        {
            **FOR_EDITS,
            **_all((BODIES, "this body is not read; reading back shows what was kept")),
            "404": "it is about an item",
        },
    ),
    Part(
        ITEM,
        "the edits of one item",
        "Plex",
        "the scene",
        40,
        _all(
            ((*AWAY, *ODD), FAILS),
            (REJECTS, REJECTED),
            (AFTER, APPLIED),
            (BODIES, UNREAD),
            (("404",), GONE),
        ),
        FOR_EDITS,
    ),
    Part(
        ITEM,
        "the details of one item",
        "Plex",
        "cannot be read in Plex",
        60,
        _all(
            ((*AWAY, *ODD, *BODIES), FAILS),
            (REJECTS, REJECTED),
            (("404", *STRANGERS), GONE),
            (RAW, LENIENT),
        ),
        FOR_ITEMS,
    ),
    Part(
        ITEM,
        "the row of one item in its list",
        "Plex",
        "item number 2 of the list",
        60,
        _all(((*AWAY, *BODIES, *REJECTS, "404", "409"), NAMED), (RAW, LENIENT)),
        {
            **FOR_ITEMS,
            **_all((STRANGERS, "a list is asked for no items")),
            "an answer without end": IN_LISTS,
        },
    ),
    Part(ENDPOINT, "the uploads of posters", "Plex", "poster", 50, OF_UPLOADS, FOR_UPLOADS),
    Part(ENDPOINT, "the uploads of backgrounds", "Plex", "background", 50, OF_UPLOADS, FOR_UPLOADS),
    Part(
        ENDPOINT,
        "the covers",
        "Stash",
        "cover",
        60,
        _all(
            (
                ("connection reset", "no answer", "half an answer", "an answer byte by byte",
                 "409", "500", "429 with Retry-After", *REFUSES),
                WAITS,
            ),
            ((*REJECTS, *BODIES, *STASH_ONLY, "a page of HTML with 200", "an answer without end"),
             UNSENT),
            (("404",), NO_COVER),
        ),
        _all(
            (AFTER, "a cover is only read"),
            ((*WHOLE[1:], *STRANGERS), ONLY_PLEX),
            (RAW, "a picture is no text"),
        ),
    ),
    Part(
        LIBRARY,
        "one of two libraries",
        "Plex",
        "Old Harbour",
        60,
        _all(((*AWAY, *BODIES, "400", "404", "413", "409"), WAITS_LIBRARY), (RAW, LENIENT)),
        {
            **_all(((*REFUSES, *WHOLE), WHOLE_SERVER), (STASH_ONLY, ONLY_STASH)),
            "other items than were asked for": ONLY_READS,
            **_all((AFTER, "a library is only read")),
            "an answer without end": IN_LISTS,
        },
    ),
)  # fmt: skip


def scope_rows() -> Iterator[tuple[Part, Case, str]]:
    """List every part with every fault that can be about it, and what becomes of the part."""
    for part in PARTS:
        for case in SCOPED:
            if case.name in part.inside:
                yield part, case, part.inside[case.name]
