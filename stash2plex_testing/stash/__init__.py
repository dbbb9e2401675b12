"""FakeStash: a stand-in for the Stash media organizer's server, for tests and demonstrations.

It speaks real HTTP and starts real plugin processes. What it does comes from docs known in the
project as stash.md; the docstrings name the section. It keeps everything in memory.
"""

from stash2plex_testing.stash.client import Answer, Client
from stash2plex_testing.stash.fake import FakeStash
from stash2plex_testing.stash.faults import Fault, Faults
from stash2plex_testing.stash.jobs import Job
from stash2plex_testing.stash.log import HookRun, LogLine, RequestEntry
from stash2plex_testing.stash.pictures import picture
from stash2plex_testing.stash.records import Group, Performer, Scene, Studio, Tag, VideoFile
from stash2plex_testing.stash.server import Latency

__all__ = [
    "Answer",
    "Client",
    "FakeStash",
    "Fault",
    "Faults",
    "Group",
    "HookRun",
    "Job",
    "Latency",
    "LogLine",
    "Performer",
    "RequestEntry",
    "Scene",
    "Studio",
    "Tag",
    "VideoFile",
    "picture",
]
