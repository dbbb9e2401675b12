"""Settings: one frozen value, checked once, from the layers that a caller names.

A setting is one field of `Settings`: its name, type, default, limits and help are there and
nowhere else. `SPECS` is derived from the class. The reference page, the yml of the plugin and the
command line are made from it or tested against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from attrs import Attribute, field, fields, frozen

from stash2plex.errors import ConfigError
from stash2plex.model import Field
from stash2plex.namelist import NameList
from stash2plex.settingvalues import (
    PartlyUsable,
    choice_of,
    number_from,
    read_fields,
    read_flag,
    read_names,
    read_path_map,
    read_token,
    read_url,
    whole_from,
)


@frozen
class Spec:
    """Everything about one setting except its value.

    `type` is Stash's. `parse` turns a stored value into one of the field's type and raises
    ValueError or TypeError. `default` and `allowed` are words for the user; `label` is the name on
    Stash's page. A number is from `low` to `high`; `choices` are the only words allowed, if there
    are any.
    """

    key: str
    type: str
    parse: Callable[[object], object]
    label: str
    default: str
    allowed: str
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def is_required(self) -> bool:
        """Whether nothing can be sent without it."""
        return self.default == REQUIRED

    def description(self) -> str:
        """Return the text under the setting on Stash's page (the yml of the plugin)."""
        if self.type == "BOOLEAN" or self.is_required:
            return self.meaning
        return f"{self.meaning} Default: {self.default}. Allowed: {self.allowed}."


REQUIRED = "–"
"""Shown as the default of a setting without one."""


def _setting(
    default: object,
    parse: Callable[[object], object],
    meaning: str,
    *,
    allowed: str,
    words: str,
    type: str = "STRING",  # noqa: A002 - the word of Stash's yml
    label: str = "",
    limits: tuple[float | None, float | None] = (None, None),
    choices: tuple[str, ...] = (),
) -> Any:
    """Make a field of `Settings`. `words` describe its default; `label` is its key by default."""
    about = {"parse": parse, "meaning": meaning, "allowed": allowed, "words": words}
    about = {**about, "limits": limits, "choices": choices}
    return field(default=default, metadata={**about, "type": type, "label": label})


def _switch(meaning: str, label: str = "") -> Any:
    """Make the field of a checkbox; unticked is always the default (stash.md §1.6)."""
    return _setting(
        False, read_flag, meaning, allowed="true or false", words="off", type="BOOLEAN", label=label
    )


def _limited(default: float, low: float, high: float, meaning: str, unit: str = "") -> Any:
    """Make the field of a number; if `default` is whole, only whole numbers are allowed."""
    whole = isinstance(default, int)
    kind = "a whole number from " if whole else ""
    return _setting(
        default,
        whole_from(int(low), int(high)) if whole else number_from(low, high),
        meaning,
        allowed=f"{kind}{low:g} to {high:g}{unit}",
        words=f"{default:g}",
        type="NUMBER",
        limits=(low, high),
    )


def _word(default: str, words: tuple[str, ...], meaning: str) -> Any:
    """Make the field of a choice between a few words."""
    allowed = f"{', '.join(words[:-1])} or {words[-1]}"
    return _setting(
        default, choice_of(*words), meaning, allowed=allowed, words=default, choices=words
    )


@frozen
class Settings:
    """Everything that the user can choose. Times are in seconds."""

    plex_url: str = _setting(
        "",
        read_url,
        "Address of your Plex server as Stash's machine or container reaches it.",
        allowed="http(s)://host:port",
        words=REQUIRED,
        label="Plex URL",
    )
    plex_token: str = _setting(
        "",
        read_token,
        "Lets Stash2Plex edit your library. Stash keeps it, and it is sent in a header only.",
        allowed="an X-Plex-Token",
        words=REQUIRED,
    )
    plex_library: NameList = _setting(  # noqa: RUF009 - it is frozen
        NameList(),
        read_names,
        "Libraries that hold your scenes.",
        allowed="library names, comma-separated; a name may hold a comma",
        words="every movie-type library",
    )
    path_map: tuple[tuple[str, str], ...] = _setting(
        (),
        read_path_map,
        "The Plex folder for each Stash folder. Windows paths work too.",
        allowed=(
            "/stash/prefix=>/plex/prefix, several with ; between them, and quotes around a folder "
            "that contains ; or =>"
        ),
        words="worked out from matching files",
    )
    skip_fields: frozenset[Field] = _setting(
        frozenset(),
        read_fields,
        "Fields that are never written to Plex.",
        allowed="some of: " + " ".join(Field),
        words="none",
    )
    preserve_plex_edits: bool = _switch(
        "Keep what you changed in Plex, field by field and tag by tag.",
        label="Preserve Plex edits",
    )
    loose_matching: bool = _switch(
        "When several Plex items fit, take the best one instead of none."
    )
    skip_not_found: bool = _switch("A scene that Plex does not have is not a failure.")
    only_organized: bool = _switch("Sync only scenes that are marked as organized.")
    exclude_tags: NameList = _setting(  # noqa: RUF009 - it is frozen
        NameList(),
        read_names,
        "Scenes with one of these tags are not synced.",
        allowed="tag names, comma-separated; a name may hold a comma",
        words="none",
    )
    ignore_tags: NameList = _setting(  # noqa: RUF009 - it is frozen
        NameList(),
        read_names,
        "These tags are not sent to Plex.",
        allowed="tag names, comma-separated; a name may hold a comma",
        words="none",
    )
    trigger_plex_scan: bool = _switch(
        "Ask Plex to scan the folder of a scene that it does not have yet.",
        label="Trigger Plex scan",
    )
    reconcile_interval: str = _word(
        "daily",
        ("never", "hourly", "daily", "weekly"),
        "How often the whole library is compared, counted from the first start.",
    )
    background_worker: str = _word(
        "auto", ("auto", "off"), "auto: started when needed. off: only tasks send anything."
    )
    max_retries: int = _limited(5, 1, 20, "Failed attempts before a scene becomes a dead letter.")
    max_tags: int = _limited(100, 1, 500, "Tags sent for one scene.")
    connect_timeout: float = _limited(
        5.0, 0.1, 120, "How long to wait for a connection to Plex.", " seconds"
    )
    read_timeout: float = _limited(
        30.0, 0.1, 600, "How long to wait for an answer from Plex.", " seconds"
    )
    tls_insecure: bool = _switch(
        "Accept any certificate of the configured Plex host.", label="TLS insecure"
    )
    debug_logging: bool = _switch("Explain every decision in worker.log.")
    obfuscate_paths: bool = _switch("Hide paths, titles and names in the logs.")
    enabled: bool = True
    """Only a stored setting of Stash2Plex 1.x turns it off, so it is not on Stash's page."""
    unusable: str = ""
    """What is wrong with the address or the token; `require_plex` raises it."""

    def __repr__(self) -> str:
        token = "set" if self.plex_token else "missing"
        return f"<Settings for {self.plex_url or 'no Plex'}, token {token}>"

    @property
    def has_plex(self) -> bool:
        """Whether there is a Plex to talk to, and the user wants that."""
        return bool(self.enabled and self.plex_url and self.plex_token)

    def require_plex(self) -> None:
        """Raise ConfigError unless there is a Plex to talk to."""
        if self.unusable:
            raise ConfigError(self.unusable)
        if not self.plex_url:
            raise ConfigError(
                "Plex URL is not set.",
                "Enter the address of your Plex server, such as "
                "http://192.168.1.20:32400, under Settings > Plugins > Stash2Plex > Plex URL.",
            )
        if not self.plex_token:
            raise ConfigError(
                "Plex token is not set.",
                "Enter your X-Plex-Token under Settings > Plugins > Stash2Plex > Plex token.",
            )


def _spec(attribute: Attribute[Any]) -> Spec:
    about = attribute.metadata
    return Spec(
        key=attribute.name,
        type=about["type"],
        parse=about["parse"],
        label=about["label"] or attribute.name.replace("_", " ").capitalize(),
        default=about["words"],
        allowed=about["allowed"],
        meaning=about["meaning"],
        low=about["limits"][0],
        high=about["limits"][1],
        choices=about["choices"],
    )


SPECS = tuple(_spec(attribute) for attribute in fields(Settings) if attribute.metadata)
"""Every setting that the user can choose, in the order of the class."""

LEGACY_FLAGS = {
    f"sync_{name}": Field(name)
    for name in (
        "studio",
        "summary",
        "tagline",
        "date",
        "performers",
        "tags",
        "poster",
        "background",
        "collection",
    )
}
"""Settings of Stash2Plex 1.x that were on by default; a stored `false` keeps its meaning."""


def parse_settings(raw: Mapping[str, object]) -> tuple[Settings, list[str]]:
    """Turn stored values into settings, and return what is wrong with the bad ones.

    A missing setting, None, and an empty text all mean the default: Stash's page stores "" for an
    emptied field and 0 for an emptied number (stash.md §1.6). A bad value gives one sentence and
    the default. An unusable address or token stays empty, so nothing is sent; its sentence is also
    in `Settings.unusable`.
    """
    values: dict[str, object] = {}
    problems: list[str] = []
    unusable: list[str] = []
    for spec in SPECS:
        value = raw.get(spec.key)
        if value is None or value == "" or (spec.type == "NUMBER" and value == 0):
            continue
        try:
            values[spec.key] = spec.parse(value)
        except PartlyUsable as error:
            values[spec.key] = error.value
            problems.append(
                f"Setting {spec.key} is {repr(value)[:80]}; allowed: {spec.allowed}. The rest is "
                f"used, without {error}."
            )
        except (ValueError, TypeError):
            shown = "(hidden)" if spec.key == "plex_token" else repr(value)[:80]
            if spec.key == "plex_url":
                # Users paste addresses with a token or a password in them.
                shown = hide_secrets(repr(value))[:80]
            problem = f"Setting {spec.key} is {shown}; allowed: {spec.allowed}."
            if spec.is_required:
                problem += " Nothing is sent until it is corrected."
                unusable.append(problem)
            else:
                problem += f" The default is used: {spec.default}."
            problems.append(problem)
    values["unusable"] = " ".join(unusable)
    values.update(_legacy(raw, values))
    return Settings(**values), problems  # type: ignore[arg-type]  # each parser returns its field's type


def plain(value: object) -> object:
    """Return a setting's value as JSON; equal for values that mean the same."""
    if isinstance(value, NameList):
        return value.as_json()
    return sorted(value) if isinstance(value, frozenset) else value


def hide_secrets(address: str) -> str:
    """Return an address without anything that may be a log-in or a token."""
    return re.sub(r"[?#].*", "?…", re.sub(r"//[^/]*@", "//…@", address))


def _legacy(raw: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """Translate what Stash2Plex 1.x stored; its checkboxes were on by default."""

    def off(key: str) -> bool:
        try:
            return raw.get(key) is not None and not read_flag(raw[key])
        except ValueError:
            return False

    changed: dict[str, object] = {}
    skipped = {name for key, name in LEGACY_FLAGS.items() if off(key)}
    if off("sync_master"):
        skipped = set(Field)
    if skipped:
        already = values.get("skip_fields", frozenset())
        assert isinstance(already, frozenset)
        changed["skip_fields"] = already | skipped
    if off("enabled"):
        changed["enabled"] = False
    if off("strict_matching") and "loose_matching" not in values:
        changed["loose_matching"] = True
    if off("reconcile_missing") and "skip_not_found" not in values:
        changed["skip_not_found"] = True
    return changed


def read_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Return the `STASH2PLEX_<KEY>` variables that name a setting."""
    return {
        spec.key: environment[f"STASH2PLEX_{spec.key.upper()}"]
        for spec in SPECS
        if environment.get(f"STASH2PLEX_{spec.key.upper()}")
    }
