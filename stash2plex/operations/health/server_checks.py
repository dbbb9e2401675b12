"""Checks what is across the network: Stash, Plex, the token's rights, the libraries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from attrs import define, field

from stash2plex.app import PLUGIN_ID, App
from stash2plex.config import Settings, parse_settings
from stash2plex.errors import BUSY, NO_TLS, SLOW, ConfigError, Refused, ServerError
from stash2plex.model import PlexItem, Section
from stash2plex.operations.health.checks import Check, blocked, failed, failed_with, passed
from stash2plex.operations.health.hook_checks import HOOKS, check_hooks
from stash2plex.operations.health.match_checks import MATCHES, PATHS, MatchChecks
from stash2plex.rules.libraries import (
    LIBRARY_FIX,
    choose_sections,
    lost_libraries,
    wrong_libraries,
)
from stash2plex.rules.tag_lists import trouble_with
from stash2plex.servers.plex import Plex
from stash2plex.servers.plexlists import ListPage
from stash2plex.servers.stash import Stash, StashBasics
from stash2plex.servers.stash_link import LOGIN_FIX
from stash2plex.sync.indexing import OWNER_FIX
from stash2plex.text import count, local, span

STASH, LOGIN, SETTINGS, CLOCKS = "Stash", "Stash log-in", "settings", "clocks"
TAGS = "tags in settings"
PLEX, TOKEN, SERVER, RIGHTS = "Plex", "Plex token", "Plex server", "edit rights"
LIBRARY = "Plex library"

ANSWER_SECONDS = 5.0
"""How many seconds one answer may take; so the whole report ends within a minute."""

SLOW_SECONDS = 2.0
SOME_ITEMS = 5
"""How many items of each library are checked."""

CLOCK_SECONDS = 120.0
"""Clock difference in seconds above which times confuse and log-ins may fail."""

T = TypeVar("T")


@define
class ServerChecks:
    """Runs the checks in their order; one that needs a failed one is skipped.

    `seed` chooses the sample of scenes. `worker_off` is whether the background worker is off, None
    if the settings could not be read.
    """

    app: App
    seed: int
    checks: list[Check] = field(factory=list)
    worker_off: bool | None = None
    _stash: Stash = field(init=False)
    _plex: Plex | None = None
    _named: Settings | None = None
    _slowest: dict[str, float] = field(factory=dict)
    _drift: dict[str, float] = field(factory=dict)
    _blind: int = 0
    _seen: Counter[str] = field(factory=Counter)

    @_stash.default
    def _hasty(self) -> Stash:
        return self.app.stash.within(ANSWER_SECONDS)

    def run(self) -> list[Check]:
        """Ask both servers. One that does not answer does not make it fail."""
        basics = self._check_stash()
        if basics is None:
            self._block(self._wrong(STASH, LOGIN), HOOKS)
        else:
            self.checks.append(check_hooks(self._stash, basics.version))
        settings = self._check_settings(basics)
        self._check_tags()
        try:
            self._check_plex(settings, basics is not None)
        finally:
            if self._plex is not None:
                self._plex.close()
        self._check_clocks()
        return self.checks

    # -- Stash ----------------------------------------------------------------------------

    def _check_stash(self) -> StashBasics | None:
        stash = self._stash
        try:
            basics = self._timed(STASH, lambda: stash.basics(PLUGIN_ID))
        except ServerError as error:
            if isinstance(error, Refused) and error.wants_login:
                self.checks.append(passed(STASH, "It answers, but does not let us in."))
                self.checks.append(failed_with(LOGIN, error, LOGIN_FIX))
                return None
            self.checks.append(failed_with(STASH, error, _fix_of(error, STASH_FIX)))
            self.checks.append(blocked(LOGIN, STASH))
            return None
        self._note_clock(STASH, stash.server_time)
        self.checks.append(passed(STASH, f"Version {basics.version}, {self._pace(STASH)}."))
        if not basics.wants_login:
            self.checks.append(passed(LOGIN, "Stash has no password."))
        elif basics.by_key:
            self.checks.append(passed(LOGIN, "By API key, which does not expire."))
        else:
            self.checks.append(
                failed(
                    LOGIN,
                    "By the session of the user who pressed the button. It expires after an hour "
                    "without work at the latest, and the background worker ends then.",
                    LOGIN_FIX,
                )
            )
        return basics

    def _check_settings(self, basics: StashBasics | None) -> Settings | None:
        """Parse the settings; without Stash, those from other sources."""
        if basics is None and not self.app.settings_reader.overrides.get("plex_url"):
            self.checks.append(blocked(SETTINGS, self._wrong(STASH, LOGIN)))
            return None
        stored = {} if basics is None else dict(basics.stored.settings)
        settings, problems = parse_settings({**stored, **self.app.settings_reader.overrides})
        self.app.settings_reader.follow(settings)
        self.worker_off = settings.background_worker == "off"
        self._named = settings if basics is not None else None
        where = "Correct it under Settings > Plugins > Stash2Plex."
        if problems:
            self.checks.append(failed(SETTINGS, " ".join(problems), where, 2))
        elif not settings.enabled:
            self.checks.append(
                failed(SETTINGS, "The old setting “enabled” is stored as false.", where, 2)
            )
        else:
            try:
                settings.require_plex()
            except ConfigError as error:
                self.checks.append(failed_with(SETTINGS, error, where))
            else:
                self.checks.append(passed(SETTINGS, "All are usable."))
        return settings if settings.plex_url and settings.plex_token else None

    def _check_tags(self) -> None:
        """Check whether Stash has the tags that the settings name, under these names."""
        if self._named is None:
            self._block(self._wrong(STASH, LOGIN, SETTINGS), TAGS)
            return
        try:
            lists = self.app.settings_reader.read_tags(self._named, self._stash)
        except ServerError as error:
            self.checks.append(failed_with(TAGS, error, _fix_of(error, STASH_FIX)))
            return
        if wrong := trouble_with(lists):
            self.checks.append(failed(TAGS, " ".join(wrong), TAGS_FIX))
            return
        number = len({tag.id for read_list in lists.lists.values() for tag in read_list.tags})
        words = f"Found in Stash: {count(number, 'tag')}." if number else "The settings name none."
        self.checks.append(passed(TAGS, words))

    # -- Plex -----------------------------------------------------------------------------

    def _check_plex(self, settings: Settings | None, stash_answers: bool) -> None:
        if settings is None:
            by = self._wrong(STASH, LOGIN, SETTINGS)
            self._block(by, PLEX, TOKEN, SERVER, LIBRARY, RIGHTS, MATCHES, PATHS)
            return
        plex = self.app.make_plex(settings, most_seconds=ANSWER_SECONDS)
        self._plex = plex
        try:
            identity = self._timed(PLEX, plex.identity)
        except ServerError as error:
            self.checks.append(failed_with(PLEX, error, _fix_of(error, PLEX_FIX)))
            self._block(PLEX, TOKEN, SERVER, LIBRARY, RIGHTS, MATCHES, PATHS)
            return
        self._note_clock(PLEX, plex.server_time)
        refused: Refused | None = None
        try:
            plex.check_token()
        except Refused as error:
            refused = error
        except ServerError as error:
            # During maintenance Plex answers the identity request alone (plex.md §1.5).
            self.checks.append(failed_with(PLEX, error, _fix_of(error, PLEX_FIX)))
            self._block(PLEX, TOKEN, SERVER, LIBRARY, RIGHTS, MATCHES, PATHS)
            return
        if self._slowest[PLEX] > SLOW_SECONDS:
            self.checks.append(
                failed(
                    PLEX,
                    f"Version {identity.version}, but {self._pace(PLEX)}.",
                    "See what keeps Plex busy: a scan, an analysis, a full disk.",
                )
            )
        else:
            self.checks.append(passed(PLEX, f"Version {identity.version}, {self._pace(PLEX)}."))
        if refused is not None:
            self.checks.append(failed_with(TOKEN, refused, RIGHTS_FIX))
            self._block(TOKEN, SERVER, LIBRARY, RIGHTS, MATCHES, PATHS)
            return
        self.checks.append(passed(TOKEN, "Plex accepts it."))
        self._check_server(identity.machine_id)
        sections = self._check_library(settings, plex)
        if sections is None:
            self._block(LIBRARY, RIGHTS, MATCHES, PATHS)
            return
        self._check_rights(plex, sections)
        if self._blind and not sum(self._seen.values()):
            self._block(TOKEN, MATCHES, PATHS)
            return
        if not stash_answers:
            self._block(self._wrong(STASH, LOGIN), MATCHES, PATHS)
            return
        self.checks += MatchChecks(self.app, self._stash, plex, settings, sections, self.seed).run()

    def _check_server(self, machine_id: str) -> None:
        known = self.app.store.plex_files.server()
        if known in (None, machine_id):
            self.checks.append(
                passed(SERVER, "The same one as before." if known else "Not synced to yet.")
            )
            return
        self.checks.append(
            failed(
                SERVER,
                "A different Plex server answers at this address. Nothing is written.",
                "If that is intended, run “Rebuild Plex Index”; if not, correct Plex URL.",
                2,
            )
        )

    def _check_library(self, settings: Settings, plex: Plex) -> list[Section] | None:
        try:
            sections = plex.sections()
            chosen = choose_sections(sections, settings.plex_library)
        except ConfigError as error:
            wrong = wrong_libraries(sections, settings.plex_library)
            if wrong:
                self.checks.append(
                    failed(
                        LIBRARY,
                        f"{wrong}; Stash2Plex writes to movies and other videos only.",
                        "Enter a library of that type in Plex library, or create one in Plex.",
                        2,
                    )
                )
            else:
                self.checks.append(failed_with(LIBRARY, error, "Correct Plex library."))
            return None
        except ServerError as error:
            self.checks.append(failed_with(LIBRARY, error, _fix_of(error, PLEX_FIX)))
            return None
        listed, failures = [], []
        for section in chosen:
            try:
                self._look_at_files(plex.list_page(section.id, 0, size=SOME_ITEMS))
            except ServerError as error:
                failures.append(f"“{section.title}” cannot be listed: {error.what}")
            else:
                listed.append(section)
        self._check_sight()
        if failures:
            self.checks.append(
                failed(LIBRARY, self._in_trouble(failures, listed), UNLISTED_FIX, exit_code=3)
            )
            return listed or None
        titles = ", ".join(f"“{section.title}”" for section in chosen)
        busy = " Plex is scanning." if any(section.refreshing for section in chosen) else ""
        lost = lost_libraries(sections, settings.plex_library)
        if lost:
            self.checks.append(failed(LIBRARY, f"{lost} {titles} is used.{busy}", LIBRARY_FIX))
        else:
            self.checks.append(passed(LIBRARY, f"{titles}, of the right type.{busy}"))
        return chosen

    def _look_at_files(self, page: ListPage) -> None:
        """Record what the token shows of files: the owner's shows full paths (plex-2.md §1, 16)."""
        self._blind += page.blind
        for file in page.files:
            whole = "/" in file.path or "\\" in file.path
            self._seen["paths" if whole else "names"] += 1

    def _check_sight(self) -> None:
        """Make the token's check a failed one if Plex does not show it full paths."""
        if self._seen["paths"] or not (self._blind or self._seen["names"]):
            return
        what = (
            "only the names of files, without their folders"
            if self._seen["names"]
            else ("no names of files")
        )
        words = f"Plex accepts it, but shows it {what}: it belongs to a user who is not the owner."
        place = next(at for at, check in enumerate(self.checks) if check.name == TOKEN)
        self.checks[place] = failed(TOKEN, words, OWNER_FIX, 2)

    def _in_trouble(self, failures: Sequence[str], listed: Sequence[Section]) -> str:
        """Describe libraries whose list fails, since when, and that the others go on."""
        words = " ".join(failures)
        if since := [trouble.since for trouble in self.app.store.library_troubles.all().values()]:
            words += f" First seen at {local(min(since))}."
        if listed:
            words += f" {', '.join(f'“{section.title}”' for section in listed)} can."
        return f"{words} Scenes of an unlisted library wait, and lose no attempts."

    def _check_rights(self, plex: Plex, sections: Sequence[Section]) -> None:
        """Send an edit that changes nothing, to an item that we have written if there is one."""
        try:
            item = self._some_item(plex, sections)
            if item is None:
                self.checks.append(passed(RIGHTS, "Nothing yet: the library holds no item."))
                return
            plex.confirm_lock(item)
        except Refused:
            self.checks.append(
                failed(RIGHTS, "The token may read this library but not edit it.", RIGHTS_FIX, 2)
            )
        except ServerError as error:
            self.checks.append(failed_with(RIGHTS, error, _fix_of(error, PLEX_FIX)))
        else:
            self.checks.append(
                passed(RIGHTS, "The token may edit (tried with an edit that changes nothing).")
            )

    def _some_item(self, plex: Plex, sections: Sequence[Section]) -> PlexItem | None:
        ids = {section.id for section in sections}
        newest = self.app.store.records.newest_item()
        keys = [] if newest is None else [newest]
        for section in sections:
            keys += [file.rating_key for file in plex.list_page(section.id, 0).files[:1]]
        items = plex.items(keys)
        for key in keys:
            item = items.get(key)
            if item is not None and item.section_id in ids and not item.trashed:
                return item
        return None

    # -- clocks ---------------------------------------------------------------------------

    def _check_clocks(self) -> None:
        if not self._drift:
            self._block(self._wrong(STASH, LOGIN), CLOCKS)
            return
        words = ", ".join(
            f"{name} {'+' if drift >= 0 else '-'}{span(abs(drift))}"
            for name, drift in self._drift.items()
            if abs(drift) > CLOCK_SECONDS
        )
        if words:
            self.checks.append(
                failed(
                    CLOCKS,
                    f"The clocks differ from this machine's: {words}.",
                    "Let every machine set its clock by the network (NTP).",
                )
            )
        else:
            self.checks.append(passed(CLOCKS, f"Within {span(CLOCK_SECONDS)} of this machine's."))

    # -- help -----------------------------------------------------------------------------

    def _timed(self, server: str, ask: Callable[[], T]) -> T:
        start = self.app.monotonic()
        try:
            return ask()
        finally:
            self._slowest[server] = self.app.monotonic() - start

    def _pace(self, server: str) -> str:
        return f"answers in {self._slowest[server] * 1000:,.0f} ms"

    def _note_clock(self, server: str, time: float | None) -> None:
        if time is not None:
            # The header has whole seconds; half a second is the mean of what it cuts off.
            self._drift[server] = round(time + 0.5 - self.app.clock())

    def _wrong(self, *names: str) -> str:
        """Return the first of these checks that failed, or the last name."""
        wrong = {check.name for check in self.checks if not check.ok}
        return next((name for name in names if name in wrong), names[-1])

    def _block(self, by: str, *names: str) -> None:
        self.checks += [blocked(name, by) for name in names]


def _fix_of(error: ServerError, usual: str) -> str:
    """Return what to do about a server that does not answer as it should."""
    if error.cause == NO_TLS and error.server == STASH:
        return STASH_ADDRESS_FIX
    fix = CAUSE_FIXES.get(error.cause or "", usual)
    return fix.format(server=error.server)


CAUSE_FIXES = {
    BUSY: "Wait until it is done; what is queued is then sent.",
    SLOW: "See what keeps {server} busy, or wake its machine.",
    NO_TLS: "Correct the address in Plex URL.",
}
STASH_ADDRESS_FIX = (
    "Stash hands its address to the plugin; on a command line correct STASH2PLEX_STASH_URL."
)
TAGS_FIX = (
    "Correct Exclude tags or Ignore tags under Settings > Plugins > Stash2Plex: as long as a tag "
    "in Exclude tags is not found, its scenes are synced."
)
STASH_FIX = "Start Stash; on a command line also check STASH2PLEX_STASH_URL."
PLEX_FIX = "Start Plex, and correct Plex URL: it must work from where Stash runs."
UNLISTED_FIX = (
    "Look at that library in Plex: have it scanned, or optimize the database. "
    "Plex library may name the others alone."
)
RIGHTS_FIX = OWNER_FIX
