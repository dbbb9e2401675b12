"""The questions of the probe: each tries something on the items and reports the result.

An answer is one of a few words or a number, never a value that the item had before.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal
from urllib.parse import quote

from attrs import define, field

from stash2plex.errors import ServerError
from stash2plex.model import Clock, Sleep
from stash2plex.operations.probe.snapshot import take_away
from stash2plex.rules.spelling import fold
from stash2plex.servers.plexraw import LISTS, PlexRaw, names

MARK = "stash2plex probe"
"""Every value of the probe begins with this."""

ACTORS = 210
"""Performers sent to find out how many an item shows."""

LENGTHS = (4_000, 8_000, 16_000, 32_000, 64_000)
"""Lengths of the summaries that are tried, in bytes."""

EDITS = 20
"""The number of edits that are timed."""

SET = 3
"""The number of items that the questions about several items use."""

Answer = str | float | int
Question = Callable[["Prober"], Answer]


@define
class Prober:
    """Asks one server, using items of one library; the first of `keys` is used most.

    `monotonic` returns seconds since an arbitrary time.
    """

    client: PlexRaw
    section_id: str
    keys: Sequence[str]
    monotonic: Clock
    sleep: Sleep
    _numbers: Iterator[int] = field(init=False, factory=lambda: iter(range(1, 10_000)))

    @property
    def item(self) -> str:
        """The item that most questions use."""
        return self.keys[0]

    def fresh(self, words: str = "") -> str:
        """Make a name that no item has had yet."""
        return f"{MARK} {next(self._numbers)} {words}".strip()

    def shown(self, kind: str, key: str = "") -> list[str]:
        """Return the names of a list."""
        return names(self.client.row(key or self.item), kind)

    def text(self, name: str) -> str:
        """Return one of the item's texts."""
        return str(self.client.row(self.item).get(name, ""))

    def edit(self, *parameters: tuple[str, str], keys: Sequence[str] = ()) -> None:
        """Edit the item, or several items."""
        self.client.edit(self.section_id, list(keys) or [self.item], parameters)

    def add(self, kind: str, *values: str, keys: Sequence[str] = ()) -> None:
        """Send names of a list by index and nothing else."""
        self.edit(*((f"{kind}[{n}].tag.tag", v) for n, v in enumerate(values)), keys=keys)

    def remove(self, kind: str, *values: str) -> None:
        """Send a single removal of all these names."""
        take_away(self.client, self.section_id, [self.item], kind, values)

    def find(self, kind: str, value: str, key: str = "") -> list[str]:
        """Return every spelling of a name in a list, duplicates included."""
        return [spelling for spelling in self.shown(kind, key) if fold(spelling) == fold(value)]

    def clear(self, kind: str) -> None:
        """Remove what the probe has put into a list."""
        for key in self.keys:
            for value in self.shown(kind, key):
                if fold(value).startswith(MARK):
                    take_away(self.client, self.section_id, [key], kind, [value])


def all_questions(*, several: bool, uploads: bool) -> dict[str, Question]:
    """Return the questions in order, with those for `several` items and for `uploads`."""
    questions: dict[str, Question] = {}
    for kind in LISTS:
        questions[f"{kind} list, one item"] = _of_list(kind, 1)
        if several:
            questions[f"{kind} list, three items"] = _of_list(kind, SET)
        questions[f"{kind} spelling"] = _of_names(kind)
        questions[f"{kind} two spellings of one name"] = _of_twins(kind)
        if several:
            questions[f"{kind} spelling, first item rules"] = _of_rows(kind)
    questions["removal of three names at once"] = _of_removal
    questions["removal in other letters"] = _of_folded_removal
    questions["name added and removed"] = _of_order
    questions["name in decomposed Unicode"] = _of_form("NFD")
    questions["name in composed Unicode"] = _of_form("NFC")
    questions["two blanks"] = _of_blanks
    for name in ("title", "studio", "summary", "tagline"):
        questions[f"{name} spelling"] = _of_text(name)
    questions["date"] = _of_date
    questions["rating by an edit"] = _of_rating(by_edit=True)
    questions["rating by its own request"] = _of_rating(by_edit=False)
    questions["performers shown of 210"] = _of_actors
    questions["longest text in bytes"] = _of_length
    questions["edit moves the item's time"] = _of_times
    questions["edit moves the library's mark"] = _of_marks
    questions["edits per second"] = _of_speed
    if uploads:
        questions["identical upload twice"] = _of_uploads
    return questions


# -- lists --------------------------------------------------------------------------------


def _of_list(kind: str, number: int) -> Question:
    def ask(prober: Prober) -> Answer:
        keys = list(prober.keys[:number])
        one, two = prober.fresh(), prober.fresh()
        prober.add(kind, one, keys=keys)
        if not prober.find(kind, one):
            return "not kept"
        prober.add(kind, two, keys=keys)
        if not prober.find(kind, one):
            return "replaces"
        prober.add(kind, one, two, keys=keys)
        return "adds, doubles" if len(prober.find(kind, one)) > 1 else "adds"

    return _clearing(kind, ask)


def _clearing(kind: str, ask: Question) -> Question:
    def asked(prober: Prober) -> Answer:
        try:
            return ask(prober)
        finally:
            prober.clear(kind)

    return asked


def _of_names(kind: str) -> Question:
    def ask(prober: Prober) -> Answer:
        sent = prober.fresh("of tides")
        prober.add(kind, sent)
        return how_spelt(sent, prober.find(kind, sent))

    return _clearing(kind, ask)


def _of_twins(kind: str) -> Question:
    def ask(prober: Prober) -> Answer:
        name = prober.fresh("twin")
        prober.add(kind, name)
        first = prober.find(kind, name)
        prober.add(kind, *first, name.upper())
        spellings = set(prober.find(kind, name))
        return {0: "not kept", 1: "are one"}.get(len(spellings), "are two")

    return _clearing(kind, ask)


def _of_rows(kind: str) -> Question:
    def ask(prober: Prober) -> Answer:
        name = prober.fresh("row")
        prober.add(kind, name)
        prober.add(kind, name.upper(), keys=[prober.keys[1]])
        first, other = prober.find(kind, name), prober.find(kind, name, prober.keys[1])
        if not (first and other):
            return "not kept"
        return "yes" if first[0] == other[0] else "no"

    return _clearing(kind, ask)


def _of_removal(prober: Prober) -> Answer:
    values = [prober.fresh() for _ in range(4)]
    prober.add("genre", *values)
    held = [spelling for value in values for spelling in prober.find("genre", value)[:1]]
    if len(held) < len(values):
        answer = "not kept"
    else:
        prober.remove("genre", *held[:3])
        left = sum(bool(prober.find("genre", value)) for value in values[:3])
        answer = {0: "all go", 2: "one goes", 3: "none goes"}.get(left, f"{3 - left} go")
    prober.clear("genre")
    return answer


def _of_folded_removal(prober: Prober) -> Answer:
    value = prober.fresh("case")
    prober.add("genre", value)
    held = prober.find("genre", value)
    if not held:
        return "not kept"
    prober.remove("genre", held[0].swapcase())
    answer = "ignored" if prober.find("genre", value) else "removes"
    prober.clear("genre")
    return answer


def _of_order(prober: Prober) -> Answer:
    sent = prober.fresh()
    prober.add("genre", sent)
    held = prober.find("genre", sent)
    prober.clear("genre")
    if not held:
        return "not kept"
    # In the spelling that this Plex gives it: a removal of another one finds nothing.
    value = held[0]
    kept = []
    for added_first in (True, False):
        both = [("genre[0].tag.tag", value), ("genre[].tag.tag-", quote(value, safe=""))]
        prober.edit(*(both if added_first else reversed(both)))
        kept.append(bool(prober.find("genre", value)))
        prober.clear("genre")
    words = {(False, False): "adds first", (True, True): "removes first"}
    return words.get((kept[0], kept[1]), "as they are sent")


def _of_form(form: Literal["NFC", "NFD"]) -> Question:
    def ask(prober: Prober) -> Answer:
        sent = unicodedata.normalize(form, prober.fresh("Caf\u00e9"))
        prober.add("genre", sent)
        held = prober.find("genre", sent)
        if not held:
            return "not kept"
        if unicodedata.normalize("NFC", held[0]) == held[0]:
            return "composed"
        return "decomposed" if unicodedata.normalize("NFD", held[0]) == held[0] else "mixed"

    return _clearing("genre", ask)


def _of_blanks(prober: Prober) -> Answer:
    sent = prober.fresh("two  blanks")
    prober.edit(("summary.value", sent))
    return how_spelt(sent, [prober.text("summary")])


def how_spelt(sent: str, held: Sequence[str]) -> str:
    """Describe how a server spells what was sent, without revealing what it holds."""
    if not held:
        return "not kept"
    shown = held[0]
    words = " ".join(word[:1].upper() + word[1:] for word in sent.split(" "))
    known = [
        (sent, "as sent"),
        (sent[:1].upper() + sent[1:], "first letter a capital"),
        (words, "each word a capital"),
        (" ".join(sent.split()), "single blanks"),
    ]
    for spelling, answer in known:
        if shown == spelling:
            return answer
    return "other letters" if fold(shown) == fold(sent) else "not kept"


# -- other fields -------------------------------------------------------------------------


def _of_text(name: str) -> Question:
    def ask(prober: Prober) -> Answer:
        sent = prober.fresh("of tides")
        prober.edit((f"{name}.value", sent))
        return how_spelt(sent, [prober.text(name)])

    return ask


def _of_date(prober: Prober) -> Answer:
    prober.edit(("originallyAvailableAt.value", "2024-06-24"))
    shown = prober.text("originallyAvailableAt")[:10]
    days = {"2024-06-24": "as sent", "2024-06-23": "a day before", "2024-06-25": "a day after"}
    return days.get(shown, "not kept")


def _of_rating(*, by_edit: bool) -> Question:
    def ask(prober: Prober) -> Answer:
        sent = 4.6 if by_edit else 3.4
        if by_edit:
            prober.edit(("userRating.value", f"{sent:g}"))
        else:
            prober.client.rate(prober.item, sent)
        shown = prober.client.row(prober.item).get("userRating")
        if shown == sent:
            return "as sent"
        if shown is None or abs(float(shown) - sent) > 1:
            return "not kept"
        return f"rounded to {float(shown):g}"

    return ask


def _of_actors(prober: Prober) -> Answer:
    values = [f"{MARK} p{number:03}" for number in range(1, ACTORS + 1)]
    prober.add("actor", *values)
    shown = sum(fold(name).startswith(MARK) for name in prober.shown("actor"))
    # What is not shown is taken away too.
    for start in range(0, ACTORS, 70):
        prober.remove("actor", *values[start : start + 70])
    prober.clear("actor")
    return shown


def _of_length(prober: Prober) -> Answer:
    longest = 0
    for length in LENGTHS:
        sent = (MARK + " " + "tide " * length)[: length - 1] + "."
        try:
            prober.edit(("summary.value", sent))
            if prober.text("summary").strip() != sent:
                break
        except ServerError:
            break
        longest = length
    return longest


def _of_times(prober: Prober) -> Answer:
    before = prober.client.row(prober.item).get("updatedAt")
    prober.sleep(1.1)
    prober.edit(("tagline.value", prober.fresh()))
    return "yes" if prober.client.row(prober.item).get("updatedAt") != before else "no"


def _of_marks(prober: Prober) -> Answer:
    before = prober.client.section(prober.section_id).get("contentChangedAt")
    prober.edit(("tagline.value", prober.fresh()))
    after = prober.client.section(prober.section_id).get("contentChangedAt")
    return "yes" if after != before else "no"


def _of_speed(prober: Prober) -> Answer:
    start = prober.monotonic()
    for _ in range(EDITS):
        prober.edit(("tagline.value", prober.fresh()))
    return round(EDITS / max(prober.monotonic() - start, 0.001), 1)


def _of_uploads(prober: Prober) -> Answer:
    picture = _png()
    before = len(prober.client.posters(prober.item))
    for _ in range(2):
        prober.client.upload(prober.item, picture)
    new = len(prober.client.posters(prober.item)) - before
    return {0: "not kept", 1: "one picture"}.get(new, "two pictures")


def _png() -> bytes:
    """Draw the smallest possible picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 2, 3, 8, 0, 0, 0, 0)
    lines = zlib.compress(b"\0\x40\x80" * 3)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
