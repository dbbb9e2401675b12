"""Settings: one frozen value, checked once, from the layers that a caller names.

`SPECS` is the single list: the reference page, the yml of the plugin and the command line are
tested against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from attrs import frozen

from stash2plex.errors import ConfigError
from stash2plex.model import Field


@frozen
class Settings:
    """Everything that a person can choose. Times are in seconds."""

    plex_url: str = ""
    plex_token: str = ""
    plex_library: tuple[str, ...] = ()
    path_map: tuple[tuple[str, str], ...] = ()
    skip_fields: frozenset[Field] = frozenset()
    preserve_plex_edits: bool = False
    loose_matching: bool = False
    skip_not_found: bool = False
    only_organized: bool = False
    exclude_tags: tuple[str, ...] = ()
    ignore_tags: tuple[str, ...] = ()
    trigger_plex_scan: bool = False
    reconcile_interval: str = "daily"
    background_worker: str = "auto"
    max_retries: int = 5
    max_tags: int = 100
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    tls_insecure: bool = False
    debug_logging: bool = False
    obfuscate_paths: bool = False
    enabled: bool = True
    unusable: str = ""
    """What is wrong with the address or the token; `require_plex` raises it."""

    def __repr__(self) -> str:
        token = "set" if self.plex_token else "missing"
        return f"<Settings for {self.plex_url or 'no Plex'}, token {token}>"

    @property
    def has_plex(self) -> bool:
        """Whether there is a Plex to talk to, and a person who wants it."""
        return bool(self.enabled and self.plex_url and self.plex_token)

    def require_plex(self) -> None:
        """Raise ConfigError unless there is a Plex to talk to."""
        if self.unusable:
            raise ConfigError(self.unusable)
        if not self.plex_url:
            raise ConfigError(
                "Plex URL is not set. Put the address of your Plex server, such as "
                "http://192.168.1.20:32400, into Settings > Plugins > Stash2Plex > Plex URL."
            )
        if not self.plex_token:
            raise ConfigError(
                "Plex token is not set. Put your X-Plex-Token into "
                "Settings > Plugins > Stash2Plex > Plex token."
            )


@frozen
class Spec:
    """One setting: its key, Stash's type, how text becomes a value, and what a person reads."""

    key: str
    type: str
    parse: Callable[[object], object]
    default: str
    allowed: str
    meaning: str


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise ValueError


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false", "1", "0"):
        return value.strip().lower() in ("true", "1")
    raise ValueError


def _number(low: float, high: float) -> Callable[[object], float]:
    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError
        number = float(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return parse


def _whole(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        number = _number(low, high)(value)
        if number != int(number):
            raise ValueError
        return int(number)

    return parse


def _choice(*words: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        word = _text(value).lower()
        if word not in words:
            raise ValueError
        return word

    return parse


def _names(value: object) -> tuple[str, ...]:
    return tuple(part.strip() for part in _text(value).split(",") if part.strip())


def _fields(value: object) -> frozenset[Field]:
    return frozenset(Field(word.lower()) for word in re.split(r"[\s,;]+", _text(value)) if word)


def _url(value: object) -> str:
    text = _text(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError
    if parts.query or parts.fragment:
        raise ValueError
    if parts.username or parts.password or re.search(r"[\s\x00-\x1f]", text):
        raise ValueError
    if parts.port is not None and not parts.port > 0:
        raise ValueError
    return text


def _token(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[\x21-\x7e]{1,2048}", text):
        raise ValueError
    return text


def _path_map(value: object) -> tuple[tuple[str, str], ...]:
    rules = []
    for rule in _text(value).split(";"):
        if not rule.strip():
            continue
        source, arrow, target = rule.partition("=>")
        if not arrow or not source.strip() or not target.strip():
            raise ValueError
        rules.append((source.strip(), target.strip()))
    return tuple(rules)


SPECS = (
    Spec(
        "plex_url",
        "STRING",
        _url,
        "–",
        "http(s)://host:port",
        "Address of your Plex server as Stash's machine or container reaches it.",
    ),
    Spec(
        "plex_token",
        "STRING",
        _token,
        "–",
        "an X-Plex-Token",
        "Lets Stash2Plex edit your library. Kept by Stash, sent in a header only.",
    ),
    Spec(
        "plex_library",
        "STRING",
        _names,
        "every movie-type library",
        "library names, comma-separated",
        "Libraries that hold your scenes.",
    ),
    Spec(
        "path_map",
        "STRING",
        _path_map,
        "worked out by itself",
        "/stash/prefix=>/plex/prefix, several with ; between",
        "How a path in Stash reads in Plex. Windows paths work too.",
    ),
    Spec(
        "skip_fields",
        "STRING",
        _fields,
        "none",
        "some of: " + " ".join(Field),
        "Fields that are never written to Plex.",
    ),
    Spec(
        "preserve_plex_edits",
        "BOOLEAN",
        _flag,
        "off",
        "true or false",
        "Keep what a person changed in Plex, field by field and tag by tag.",
    ),
    Spec(
        "loose_matching",
        "BOOLEAN",
        _flag,
        "off",
        "true or false",
        "When several Plex items fit, take the best instead of refusing.",
    ),
    Spec(
        "skip_not_found",
        "BOOLEAN",
        _flag,
        "off",
        "true or false",
        "A scene that Plex does not have is no error.",
    ),
    Spec(
        "only_organized",
        "BOOLEAN",
        _flag,
        "off",
        "true or false",
        "Sync scenes marked as organized only.",
    ),
    Spec(
        "exclude_tags",
        "STRING",
        _names,
        "none",
        "tag names, comma-separated",
        "Scenes with one of these tags are not synced.",
    ),
    Spec(
        "ignore_tags",
        "STRING",
        _names,
        "none",
        "tag names, comma-separated",
        "These tags are not sent to Plex.",
    ),
    Spec(
        "trigger_plex_scan",
        "BOOLEAN",
        _flag,
        "off",
        "true or false",
        "Ask Plex to scan the folder of a scene that it does not have yet.",
    ),
    Spec(
        "reconcile_interval",
        "STRING",
        _choice("never", "hourly", "daily", "weekly"),
        "daily",
        "never, hourly, daily or weekly",
        "How often the whole library is compared, counted from the first start.",
    ),
    Spec(
        "background_worker",
        "STRING",
        _choice("auto", "off"),
        "auto",
        "auto or off",
        "auto: started when needed. off: only tasks send anything.",
    ),
    Spec(
        "max_retries",
        "NUMBER",
        _whole(1, 20),
        "5",
        "a whole number from 1 to 20",
        "Failed attempts before a scene becomes a dead letter.",
    ),
    Spec(
        "max_tags",
        "NUMBER",
        _whole(1, 500),
        "100",
        "a whole number from 1 to 500",
        "Tags sent for one scene.",
    ),
    Spec(
        "connect_timeout",
        "NUMBER",
        _number(0.1, 120),
        "5",
        "0.1 to 120 seconds",
        "How long to wait for a connection to Plex.",
    ),
    Spec(
        "read_timeout",
        "NUMBER",
        _number(0.1, 600),
        "30",
        "0.1 to 600 seconds",
        "How long to wait for an answer of Plex.",
    ),
    Spec(
        "tls_insecure",
        "BOOLEAN",
        _flag,
        "off",
        "true or false",
        "Accept any certificate of the configured Plex host.",
    ),
    Spec(
        "debug_logging",
        "BOOLEAN",
        _flag,
        "off",
        "true or false",
        "Explain every decision in worker.log.",
    ),
    Spec(
        "obfuscate_paths",
        "BOOLEAN",
        _flag,
        "off",
        "true or false",
        "Hide paths, titles and names in the logs.",
    ),
)

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
"""Keys of Stash2Plex 1.x that were on by default; a stored `false` keeps its meaning."""


def parse_settings(raw: Mapping[str, object]) -> tuple[Settings, list[str]]:
    """Turn stored values into settings, and say what is wrong with the bad ones.

    A missing key, None, and an empty text all mean the default: Stash's page stores "" for a field
    that was emptied and 0 for a number (stash.md §1.6). A bad value gives one sentence and the
    default. An address or token that cannot be used stays empty, so nothing is sent; its sentence
    is in `Settings.unusable` too.
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
        except (ValueError, TypeError):
            shown = "(hidden)" if spec.key == "plex_token" else repr(value)[:80]
            if spec.key == "plex_url":
                # People paste addresses with a token or a password in them.
                shown = hide_secrets(repr(value))[:80]
            problem = f"Setting {spec.key} is {shown}; allowed: {spec.allowed}."
            if spec.default == "–":
                problem += " Nothing is sent until it is right."
                unusable.append(problem)
            else:
                problem += f" The default is used: {spec.default}."
            problems.append(problem)
    values["unusable"] = " ".join(unusable)
    values.update(_legacy(raw, values))
    return Settings(**values), problems  # type: ignore[arg-type]  # each parser returns its field's type


def hide_secrets(address: str) -> str:
    """Show an address without what may be a log-in or a token in it."""
    return re.sub(r"[?#].*", "?…", re.sub(r"//[^/]*@", "//…@", address))


def _legacy(raw: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """Translate what Stash2Plex 1.x stored; its checkboxes were on by default."""

    def off(key: str) -> bool:
        try:
            return raw.get(key) is not None and not _flag(raw[key])
        except ValueError:
            return False

    found: dict[str, object] = {}
    skipped = {name for key, name in LEGACY_FLAGS.items() if off(key)}
    if off("sync_master"):
        skipped = set(Field)
    if skipped:
        already = values.get("skip_fields", frozenset())
        assert isinstance(already, frozenset)
        found["skip_fields"] = already | skipped
    if off("enabled"):
        found["enabled"] = False
    if off("strict_matching") and "loose_matching" not in values:
        found["loose_matching"] = True
    if off("reconcile_missing") and "skip_not_found" not in values:
        found["skip_not_found"] = True
    return found


def read_environment(environment: Mapping[str, str]) -> dict[str, object]:
    """Pick `STASH2PLEX_<KEY>` variables that name a setting."""
    return {
        spec.key: environment[f"STASH2PLEX_{spec.key.upper()}"]
        for spec in SPECS
        if environment.get(f"STASH2PLEX_{spec.key.upper()}")
    }
