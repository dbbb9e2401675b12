"""Hides paths, titles, names and hosts, so that a log can be posted in public.

The same input gets the same pseudonym within a data folder, and without the folder's key a
pseudonym does not reveal what it stands for. Each folder and file name gets its own pseudonym, so
that equal parts of two paths still look equal.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

PSEUDONYM_LENGTH = 8
"""Hexadecimal digits: among a million names, one in four thousand shares its pseudonym."""

SEPARATOR = re.compile(r"[\\/]")
QUOTES = re.compile("[“”]")
PATH = re.compile(r"(?<![\w/\\:.<])(?:[A-Za-z]:\\|\\\\|/)[^\s“”\"'<>|]*[^\s“”\"'<>|.,;:!?()]")
"""A path in the middle of a sentence. Every message puts paths in quotes, so those with spaces are
found too."""
OUR_FILE = re.compile(r'File "[^"]*?((?:stash2plex|vendor)/[\w/]+\.py)"')
ADDRESS = re.compile(r"https?://[^\s“”]*[^\s“”.,;:!?()]")
LITERAL = re.compile(r"(?<!\w)'([^'\n]{2,})'(?!\w)|\"([^\"\n]{2,})\"")
"""A value in straight quotes, put there by Python or a server."""
EXTENSION = re.compile(
    r"\.(?:mp4|m4v|mkv|avi|mov|wmv|webm|flv|mpe?g|m2ts|ts|3gp|ogv|vob|db|log|toml|yml|json|py)$",
    re.IGNORECASE,
)
"""Extensions that a path keeps. Any other may be a word: a title may have slashes and dots."""
PSEUDONYM = re.compile(
    r"name-[0-9a-f]{8}|host-[0-9a-f]{8}|(?:[A-Za-z]:)?(?:[\\/]+[0-9a-f]{8}(?:\.\w{1,4})?)+"
)
"""What was hidden before, such as a line of a log: hidden again, it stays the same."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

OURS = frozenset(
    (
        "Clear Dead Letter Queue", "Clear Pending Queue", "Health Check",
        "Outage Summary Report", "Preview Changes", "Process Queue",
        "Purge Old DLQ Entries", "Put Plex Back", "Rebuild Plex Index",
        "Reconcile Library (All)", "Reconcile Library (Last 7 Days)",
        "Reconcile Library (Recent)", "Reconcile Missing Metadata Only", "Recover Outage Jobs",
        "Retry Dead Letters", "Sync All Scenes", "Sync Recent Scenes", "View Queue Status",
        "Other videos", "Queue them", "Reload plugins", "Stash2Plex", "Stash2Plex Hooks",
        "days", "dlq list", "dlq retry", "enabled", "field", "import_legacy", "limit", "make demo",
        "max_wait", "offset", "performer_id", "rating_key", "reason", "scene_id",
        "scene_ids", "set_up", "stash2plex history", "stash2plex import-legacy",
        "stash2plex process", "stash2plex reconcile", "stash2plex restore",
        "stash2plex sync", "stash2plex undo --left-out", "state", "step", "studio_id", "sync",
        "tag_id", "values", "worker.log",
    )
)  # fmt: skip
"""What our own messages quote that reveals nothing about a library; a test collects them."""


class Pseudonyms:
    """Makes pseudonyms with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def name(self, text: str) -> str:
        """Return the pseudonym of a title or name."""
        return f"name-{self._digest(text)}"

    def path(self, text: str) -> str:
        """Return the pseudonym of a path: one for each part; separators and the extension stay."""
        pieces = re.split(r"([\\/]+|^[A-Za-z]:(?=\\))", text)
        last = max((at for at, piece in enumerate(pieces) if piece), default=0)
        return "".join(
            piece if at % 2 or not piece else self._part(piece, keep_extension=at == last)
            for at, piece in enumerate(pieces)
        )

    def _part(self, text: str, *, keep_extension: bool) -> str:
        match = EXTENSION.search(text) if keep_extension else None
        end = match[0] if match and match.start() else ""
        return self._digest(text.removesuffix(end)) + end

    def _digest(self, text: str) -> str:
        # macOS encodes the same name in other bytes than Linux.
        plain = unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, plain, hashlib.sha256).hexdigest()[:PSEUDONYM_LENGTH]

    def text(self, text: str) -> str:
        """Hide everything in a message that may reveal something about a library or a machine.

        That is what stands in “ ”, paths and straight quotes anywhere, and the hosts of addresses.
        When in doubt it hides too much.
        """
        return "".join(
            self._quoted(part) if quoted else self._plain(part)
            for part, quoted in split_quotes(text)
        )

    def private(self, text: str) -> str:
        """Hide a title, path or name, whatever it contains, and put its pseudonym in quotes."""
        return f"“{self.path(text) if SEPARATOR.search(text) else self.name(text)}”"

    def _quoted(self, text: str) -> str:
        if text in OURS or PSEUDONYM.fullmatch(text):
            return f"“{text}”"
        if re.fullmatch(r"https?://\S+", text):
            return f"“{self._address(text)}”"
        return self.private(text)

    def _plain(self, text: str) -> str:
        text = OUR_FILE.sub(lambda match: f"File {match[1]}", text)
        text = LITERAL.sub(lambda match: f"“{self.name(match[1] or match[2])}”", text)
        kept: list[str] = []

        def keep(match: re.Match[str]) -> str:
            kept.append(self._address(match[0]))
            return f"\x00{len(kept) - 1}\x00"

        text = ADDRESS.sub(keep, text.replace("\x00", ""))
        text = PATH.sub(
            lambda match: match[0] if PSEUDONYM.fullmatch(match[0]) else self.path(match[0]), text
        )
        return re.sub("\x00(\\d+)\x00", lambda match: kept[int(match[1])], text)

    def _address(self, text: str) -> str:
        """Hide the path of an address, and its host unless that is this machine."""
        head, host, rest = re.split(r"://(\[[^\]]*\]|[^/:]+)", text, maxsplit=1)
        port, slash, path = rest.partition("/")
        known = host in LOOPBACK or PSEUDONYM.fullmatch(host)
        shown = host if known else f"host-{self._digest(host.lower())}"
        if path and not PSEUDONYM.fullmatch(slash + path):
            path = self.path(path)
        return f"{head}://{shown}{port}{slash}{path}"


def split_quotes(text: str) -> list[tuple[str, bool]]:
    """Split a message into plain parts and what stands in “ ”, quotes inside quotes included.

    A title may itself hold quotes. If they do not come in pairs, everything from the first to the
    last of them counts as one part.
    """
    parts: list[tuple[str, bool]] = []
    depth = start = end = 0
    for quote in QUOTES.finditer(text):
        if quote[0] == "“":
            if depth == 0:
                start = quote.start()
                parts.append((text[end:start], False))
            depth += 1
        else:
            depth -= 1
            if depth < 0:
                return _whole(text)
            if depth == 0:
                end = quote.end()
                parts.append((text[start + 1 : end - 1], True))
    if depth:
        return _whole(text)
    return [part for part in [*parts, (text[end:], False)] if part[0] or part[1]]


def _whole(text: str) -> list[tuple[str, bool]]:
    places = [quote.start() for quote in QUOTES.finditer(text)]
    first, last = places[0], places[-1]
    # An opening quote without a closing one reaches to the end of the line.
    last = last if text[last] == "”" else len(text)
    return [(text[:first], False), (text[first:last].strip("“”"), True), (text[last + 1 :], False)]
