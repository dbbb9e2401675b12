"""A varied library of harmless things, the same for the same seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stash2plex_testing.stash.library import Library
    from stash2plex_testing.stash.records import Group, Performer, Scene, Studio, Tag

PLACES = ["Harbour", "Lighthouse", "Orchard", "Canal", "Quarry", "Ferry", "Weir", "Windmill"]
THINGS = ["Lanterns", "Kites", "Barrels", "Umbrellas", "Clocks", "Bicycles", "Paper Boats"]
ODD = [
    "Große Straße im Regen",
    "灯台と霧",
    "Смотритель маяка",
    "Déjà vu — le quai №7",
    "Lanterns 🏮 & Kites 🪁",
    "שקיעה בנמל",
    'He said "ahoy" / 50% \\ done',
    "  <b>Fog</b> & mist  ",
]
SENTENCES = [
    "A quiet walk along the water.",
    "The lamps are lit one after the other.\nNobody is in a hurry.",
    "Boats come in with the tide & leave with it.",
    "A study of wood, rope and rain; filmed in one take.",
    "",
]
TAGS = ["Outdoor", "Night", "Water", "Wood", "Rain", "Fog", "Morning", "Crowd", "Étude", "Hafen"]


Item = TypeVar("Item")


class Generator:
    """Draws one library. Every choice comes from the seed."""

    def __init__(self, library: Library, seed: int, root: str) -> None:
        self._library = library
        self._random = random.Random(seed)
        self._seed = seed
        self._root = root.rstrip("/")
        self.studios: list[Studio] = []
        self.performers: list[Performer] = []
        self.tags: list[Tag] = []
        self.groups: list[Group] = []

    def entities(self, scenes: int) -> None:
        """Add studios with parents, performers, tags with parents and groups."""
        library, some = self._library, self._random
        for number in range(1, max(4, scenes // 40) + 1):
            parent = some.choice(self.studios) if self.studios and some.random() < 0.3 else None
            self.studios.append(library.add_studio(f"Studio {number} Pictures", parent))
        for number in range(1, max(6, scenes // 8) + 1):
            other = "the younger" if number % 25 == 0 else None
            image = self._seed * 7 + number if number % 3 else None
            self.performers.append(
                library.add_performer(f"Performer {number}", disambiguation=other, image=image)
            )
        for number, name in enumerate(TAGS):
            parents = [self.tags[number // 3]] if number > 3 else []
            aliases = [f"{name}s"] if number % 2 else []
            sort_name = f"{len(TAGS) - number:02}" if number % 4 == 0 else None
            self.tags.append(
                library.add_tag(name, parents=parents, aliases=aliases, sort_name=sort_name)
            )
        for number in range(1, max(2, scenes // 60) + 1):
            self.groups.append(
                library.add_group(f"Collection {number}", date=f"20{number % 30:02}")
            )

    def scene(self, number: int) -> Scene:
        """Add the scene of a number, counted from 0."""
        some = self._random
        chance = some.random
        folder = f"{self._root}/{some.choice(PLACES)}/{2010 + number % 15}"
        name = f"{some.choice(THINGS)} {number:06}"
        paths = [f"{folder}/{name}.mp4"]
        if chance() < 0.06:
            paths.append(f"{folder}/{name} (4K).mkv")
        if chance() < 0.01:
            paths.append(f"{self._root}/Spare copies/{name}.avi")
        return self._library.add_scene(
            self._title(number),
            details=some.choice(SENTENCES) if chance() < 0.7 else None,
            date=self._date(),
            rating100=some.randrange(1, 101) if chance() < 0.5 else None,
            director=f"Director {some.randrange(1, 30)}" if chance() < 0.3 else None,
            code=f"HL-{number:05}" if chance() < 0.3 else None,
            organized=chance() < 0.5,
            studio=some.choice(self.studios) if chance() < 0.85 else None,
            performers=self._few(self.performers, 4),
            tags=self._few(self.tags, 5),
            groups=self._few(self.groups, 1) if chance() < 0.15 else (),
            files=paths,
            sizes=[some.randrange(10_000_000, 4_000_000_000) for _ in paths],
            cover=self._seed * 1_000_003 + number if chance() < 0.9 else None,
        )

    def _title(self, number: int) -> str | None:
        some = self._random
        drawn = some.random()
        if drawn < 0.05:
            return None
        if drawn < 0.07:
            return ""
        if drawn < 0.12:
            return f"{some.choice(ODD)} {number}"
        return f"{some.choice(THINGS)} at the {some.choice(PLACES)}, part {number}"

    def _date(self) -> str | None:
        some = self._random
        drawn = some.random()
        day = f"{some.randrange(1998, 2026)}-{some.randrange(1, 13):02}-{some.randrange(1, 29):02}"
        if drawn < 0.10:
            return None
        return day[:4] if drawn < 0.14 else day[:7] if drawn < 0.18 else day

    def _few(self, items: Sequence[Item], most: int) -> list[Item]:
        count = min(len(items), self._random.randint(0, most))
        return self._random.sample(items, count)


def generate(
    library: Library, scenes: int = 200, seed: int = 1, root: str = "/data"
) -> list[Scene]:
    """Fill a library and give its new scenes in the order of their ids."""
    generator = Generator(library, seed, root)
    with library.lock:
        generator.entities(scenes)
        return [generator.scene(number) for number in range(scenes)]
