"""Every fault at every stage, with what must come of it: the fault suite's data and its page.

`tests/faults/test_table.py` runs each case against the stand-ins; `tools.build_docs` writes the
page from the same values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

HELD = "waits for the server"
STOPPED = "stops until the user acts"
RETRIED = "tried again, one attempt counted"
SNOOZED = "looked up again later"
BURIED = "dead letter"
SAID = "in sync except for what the log reports"
WAITS = "in sync except for the picture, which waits"
DONE = "in sync"

COUNTS = {WAITS: 0, HELD: 0, STOPPED: 0, RETRIED: 1, SNOOZED: 0, BURIED: 1, SAID: 0, DONE: 0}
"""How many attempts each end costs."""


@dataclass(frozen=True)
class Stage:
    """A request between us and a server. `deed` is its name in messages.

    `before` means that it comes before anything is claimed, so that no scene can be the cause.
    """

    server: str
    name: str
    deed: str
    fits: Mapping[str, Any]
    before: bool = False
    writes: bool = False


PLEX_TOKEN = Stage("Plex", "token", "the token check", {"path": r"^/$"}, before=True)
PLEX_LIBRARIES = Stage(
    "Plex", "libraries", "its libraries", {"path": r"^/library/sections$"}, before=True
)
PLEX_LIST = Stage(
    "Plex", "list", "a list page", {"method": "GET", "path": r"^/library/.*/all$"}, before=True
)
PLEX_DETAILS = Stage("Plex", "details", "item details", {"path": r"^/library/metadata/[\d,]+$"})
PLEX_EDIT = Stage("Plex", "edit", "the edit", {"method": "PUT", "path": r"/all$"}, writes=True)
PLEX_UPLOAD = Stage(
    "Plex",
    "upload",
    "the upload of a background",
    {"method": "POST", "path": r"/arts$"},
    writes=True,
)
STASH_SETTINGS = Stage(
    "Stash", "settings", "query Basics", {"operation": "query Basics"}, before=True
)
STASH_SCENES = Stage("Stash", "scenes", "query Scenes", {"operation": "query Scenes"})
STASH_FAN_OUT = Stage("Stash", "fan-out", "query SceneIds", {"operation": "query SceneIds"})
STASH_COVER = Stage("Stash", "cover", "the cover of scene {scene}", {"path": r"^/scene/\d+/"})

STAGES = (
    PLEX_TOKEN, PLEX_LIBRARIES, PLEX_LIST, PLEX_DETAILS, PLEX_EDIT, PLEX_UPLOAD,
    STASH_SETTINGS, STASH_SCENES, STASH_FAN_OUT, STASH_COVER,
)  # fmt: skip


PICTURES = (PLEX_UPLOAD, STASH_COVER)
"""Stages that come after the texts of a scene are in Plex, and hold up none of them."""


@dataclass(frozen=True)
class Outcome:
    """What must come of a fault: the error's reason, how it ends, and what the user reads.

    In `says`, `{server}`, `{at}`, `{deed}`, `{title}`, `{path}` and `{library}` stand for server,
    its address, the request, the scene, its file and the one library; the size of an odd answer is
    shown as `…`.
    """

    reason: str
    ends: str
    says: str = ""


@dataclass(frozen=True)
class Case:
    """One fault. `orders` are the orders for each server's stand-in.

    `differs` holds the outcome of stages with a different one, by (server, stage). `whole` is a
    fault that can be of the whole server only, never of one library.
    """

    name: str
    outcome: Outcome
    orders: Mapping[str, Mapping[str, Any]]
    differs: Mapping[tuple[str, str], Outcome] = field(default_factory=dict)
    writes_only: bool = False
    whole: bool = False

    def outcome_at(self, stage: Stage) -> Outcome:
        """Return what must come of the fault at a stage."""
        outcome = self.differs.get((stage.server, stage.name), self.outcome)
        if stage is PLEX_LIST and outcome.ends != STOPPED and not self.whole:
            return Outcome("unavailable", HELD, UNLISTED + outcome.says)
        if stage.before and outcome.ends != STOPPED:
            return Outcome("unavailable", HELD, outcome.says)
        if stage in PICTURES and outcome.ends == STOPPED:
            # The server lets us in, so this is about its pictures.
            return Outcome("", WAITS, REFUSED_PICTURES[stage.name])
        if stage in PICTURES and outcome.ends in (HELD, RETRIED):
            # The server does all else, so the texts are in sync.
            return Outcome("", WAITS, outcome.says)
        return outcome

    def order(self, stage: Stage) -> Mapping[str, Any] | None:
        """Return the orders for a stage's stand-in; None if the fault makes no sense there."""
        if self.writes_only and not stage.writes:
            return None
        return self.orders.get(stage.server)


UNLISTED = "Plex does not list “{library}”: "
PROXY = " See whether a proxy before it lets them through."
REFUSED_PICTURES = {
    "upload": "Plex lets us in, but refuses the backgrounds." + PROXY,
    "cover": "Stash lets us in, but refuses the covers." + PROXY,
}
BROKEN = "{server} at {at} broke the connection during {deed}."
SLOW = "{server} at {at} did not answer {deed} in time."
STRANGE = (
    "{server} answered {deed} with something that is not its own JSON (…). Is {at} really {server}?"
)
TOKEN = (
    "Plex does not accept the token. Put a fresh X-Plex-Token of the server's owner into "
    "Settings > Plugins > Stash2Plex > Plex token."
)
LOGIN = (
    " Make an API key in Stash under Settings > Security; Stash2Plex then finds it "
    "(on a command line: STASH2PLEX_STASH_API_KEY)."
)
QUESTION = " Is it really Stash, v0.27 or newer?"
NO_PICTURE = (
    "The cover of “{title}” was not sent: Stash sent … for {deed}, which is not a "
    "picture that Plex takes."
)
TOO_LARGE = "The cover of “{title}” is too large for Plex; it was not sent."
COVER = ("Stash", "cover")
QUERIES = (("Stash", "settings"), ("Stash", "scenes"), ("Stash", "fan-out"))
FOUND_WRITTEN = {("Plex", "edit"): Outcome("", DONE)}
"""The next try reads the item, finds it right, and writes nothing more."""
NOT_A_PICTURE = {COVER: Outcome("", SAID, NO_PICTURE)}


def _both(kind: str, **options: Any) -> dict[str, Mapping[str, Any]]:
    return {"Plex": {"kind": kind, **options}, "Stash": {"kind": kind, **options}}


def _status(number: int, outcome: Outcome, **differs: Outcome) -> Case:
    names = {"details": "Plex", "edit": "Plex", "upload": "Plex", "cover": "Stash"}
    by_stage = {(names[name], name): other for name, other in differs.items()}
    for stage in QUERIES:
        if number not in (401, 403, 409, 429, 500):
            says = outcome.says + QUESTION
            by_stage[stage] = Outcome("unavailable", HELD, says)
    return Case(str(number), outcome, _both("status", status=number), differs=by_stage)


def _not_accepted(number: int, why: str) -> Case:
    answered = f"{{server}} answered {{deed}} with {number}: it {why}."
    return _status(
        number,
        Outcome("rejected", BURIED, answered),
        upload=Outcome("", SAID, f"The background of “{{title}}” was not taken: {answered}"),
        cover=Outcome("", SAID, f"The cover of “{{title}}” was not sent: {answered}"),
    )


def _refused(number: int) -> Case:
    answered = f"Stash answered {{deed}} with {number}: it does not accept our credentials."
    stash = Outcome("refused", STOPPED, answered + LOGIN)
    return Case(
        str(number),
        Outcome("refused", STOPPED, TOKEN),
        _both("status", status=number),
        differs=dict.fromkeys((*QUERIES, COVER), stash),
    )


MISSED = Outcome(
    "not_in_plex", SNOOZED, "“{title}” is not in Plex yet. No Plex file fits “{path}”."
)
"""An item that Plex denies is matched again at once; if nothing else fits, it is not in Plex."""
GONE = "{server} answered {deed} with 404: it no longer has that."
REDIRECTED = "{server} answered {deed} with 302, a redirect."
REDIRECT = f"{REDIRECTED} Use the address that it really listens on."
LOGIN_PAGE = Outcome("refused", STOPPED, REDIRECTED + LOGIN)
MAINTENANCE = "Plex is busy: Plex Media Server is currently running database migrations."

CASES = (
    Case("connection reset", Outcome("unavailable", HELD, BROKEN), _both("reset")),
    Case(
        "reset after the write was applied",
        Outcome("unavailable", HELD, BROKEN),
        {"Plex": {"kind": "reset", "after_apply": True}},
        differs=FOUND_WRITTEN,
        writes_only=True,
    ),
    Case("no answer", Outcome("unavailable", HELD, SLOW), _both("hang")),
    Case(
        "no answer after the write was applied",
        Outcome("unavailable", HELD, SLOW),
        {"Plex": {"kind": "hang", "after_apply": True}},
        differs=FOUND_WRITTEN,
        writes_only=True,
    ),
    Case("half an answer", Outcome("unavailable", HELD, BROKEN), _both("half")),
    Case(
        "half an answer after the write was applied",
        Outcome("unavailable", HELD, BROKEN),
        {"Plex": {"kind": "half", "after_apply": True}},
        differs=FOUND_WRITTEN,
        writes_only=True,
    ),
    Case(
        "an answer byte by byte",
        Outcome("unavailable", HELD, "{server} sends its answer to {deed} too slowly."),
        {"Plex": {"kind": "drip"}, "Stash": {"kind": "drip", "seconds": 5.0}},
    ),
    Case(
        "an answer without end",
        Outcome(
            "too_large",
            RETRIED,
            "{server} sent more than 65536 KiB for {deed}; the answer was dropped.",
        ),
        _both("endless"),
        differs={COVER: Outcome("", SAID, TOO_LARGE)},
    ),
    Case(
        "broken JSON, or broken XML",
        Outcome("unavailable", HELD, STRANGE),
        _both("malformed"),
        differs={
            # The body of an answer to a write is only checked for being a web page.
            ("Plex", "edit"): Outcome("", DONE),
            ("Plex", "upload"): Outcome("", DONE),
            **NOT_A_PICTURE,
        },
    ),
    Case(
        "an empty answer",
        Outcome("unavailable", HELD, STRANGE),
        _both("empty"),
        # Plex answers a write that it accepted with nothing else (plex.md §1.6).
        differs={
            ("Plex", "edit"): Outcome("", DONE),
            ("Plex", "upload"): Outcome("", DONE),
            **NOT_A_PICTURE,
        },
    ),
    Case(
        "a page of HTML with 200",
        Outcome("unavailable", HELD, STRANGE),
        _both("html"),
        differs=NOT_A_PICTURE,
    ),
    Case(
        "JSON of another shape",
        Outcome("unavailable", HELD, STRANGE),
        {"Stash": {"kind": "wrong_shape"}},
        differs=NOT_A_PICTURE,
    ),
    Case(
        "a GraphQL error: database is locked",
        Outcome("unavailable", HELD, "Stash's database is locked by a scan or another task."),
        {"Stash": {"kind": "graphql_error"}},
        differs=NOT_A_PICTURE,
    ),
    Case(
        "another GraphQL error",
        Outcome("transient", RETRIED, "Stash could not answer {deed}: “no such column”"),
        {"Stash": {"kind": "graphql_error", "message": "no such column"}},
        differs=NOT_A_PICTURE,
    ),
    Case(
        "a redirect to a log-in page",
        Outcome("refused", STOPPED, REDIRECT),
        _both("redirect"),
        differs=dict.fromkeys((*QUERIES, COVER), LOGIN_PAGE),
    ),
    Case(
        "a redirect to another host",
        Outcome("refused", STOPPED, REDIRECT),
        {
            "Plex": {
                "kind": "status",
                "status": 307,
                "headers": {"Location": "http://127.0.0.1:9/x"},
            },
            "Stash": {"kind": "redirect", "location": "http://127.0.0.1:9/x"},
        },
        differs={
            ("Plex", name): Outcome("refused", STOPPED, REDIRECT.replace("302", "307"))
            for name in ("token", "libraries", "list", "details", "edit", "upload")
        },
    ),
    _not_accepted(400, "does not accept what was sent"),
    _refused(401),
    _refused(403),
    _status(
        404,
        Outcome("not_found", RETRIED, GONE),
        details=MISSED,
        edit=MISSED,
        cover=Outcome("", DONE),
    ),
    _status(409, Outcome("transient", RETRIED, "{server} answered {deed} with 409.")),
    _not_accepted(413, "or a proxy in front of it accepts no request of this size"),
    Case(
        "429 with Retry-After",
        Outcome("unavailable", HELD, "{server} answered {deed} with 429."),
        _both("status", status=429, headers={"Retry-After": "120"}),
        whole=True,
    ),
    _status(500, Outcome("unavailable", HELD, "{server} answered {deed} with 500.")),
    Case(
        "503 while Plex migrates its database",
        Outcome("unavailable", HELD, MAINTENANCE),
        {
            "Plex": {
                "kind": "status",
                "status": 503,
                "body": b'<Response code="503" title="Maintenance" status="Plex Media Server is '
                b'currently running database migrations."/>',
            }
        },
        whole=True,
    ),
    Case(
        "other items than were asked for",
        MISSED,
        {"Plex": {"kind": "wrong_items"}},
    ),
)


SETUPS = {
    "a refused connection": Outcome(
        "unavailable",
        HELD,
        "Plex at {at} refuses the connection. Is it running, is the port right?",
    ),
    "a host name that is not known": Outcome(
        "unavailable",
        HELD,
        "Plex at {at} cannot be reached: the host name “no-such-host.invalid:32400” is not known.",
    ),
    "a certificate that is not accepted": Outcome(
        "refused",
        STOPPED,
        "Plex at {at} cannot be trusted: its certificate is not accepted. Use the http address, "
        "the plex.direct name, or turn on TLS insecure.",
    ),
    "https where http is spoken": Outcome(
        "refused",
        STOPPED,
        "Plex at {at} cannot be trusted: it speaks http, not https; change the address.",
    ),
    "another Plex server at the address": Outcome(
        "refused",
        STOPPED,
        "A different Plex server answers at this address. Nothing is written. If that is "
        "intended, run the task “Rebuild Plex Index”.",
    ),
    "a library that was renamed": Outcome(
        "configuration",
        STOPPED,
        "Plex has no movie-type library named “Harbour Films”. It has: “Harbour Pictures”. "
        "Correct Settings > Plugins > Stash2Plex > Plex library.",
    ),
    "no library left": Outcome(
        "configuration", STOPPED, "Plex has no movie or “Other videos” library."
    ),
}
"""Faults of the set-up rather than of one request; `test_faulty_setups.py` makes each."""


def rows() -> Iterator[tuple[Case, Stage, Mapping[str, Any], Outcome]]:
    """List every fault at every stage where it makes sense."""
    for case in CASES:
        for stage in STAGES:
            order = case.order(stage)
            if order is None or (order["kind"] == "wrong_items" and stage is not PLEX_DETAILS):
                continue
            yield case, stage, order, case.outcome_at(stage)
