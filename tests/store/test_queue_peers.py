"""The queue against the plain model, worked by several real processes that die at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from stash2plex.store.queue import Counts
from stash2plex.workqueue import URGENT, Claim
from tests.store.queuemodel import LEASE
from tests.store.test_queue_model import KEYS, QueueMachine

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = 3
CLAIMED = (
    *("kind", "id", "lease_id", "attempts", "snoozes", "interruptions", "priority"),
    *("run_id", "after_run", "later_run"),
)
"""What makes a `Claim`, in the order of its arguments."""

PEER = """import json, os, signal, sys
sys.path.insert(0, {root!r})
from stash2plex import db
from stash2plex.db import connect
from stash2plex.store.queue import Queue
from stash2plex.workqueue import Claim
now = [0.0]
queue = None
def plain(value):
    if isinstance(value, list):
        return [plain(one) for one in value]
    slots = getattr(value, "__slots__", None)
    names = [name for name in slots or () if name != "__weakref__"]
    return {{name: getattr(value, name) for name in names}} if names else value
real = db.transaction.__exit__
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def commit_and_die(*arguments):
    real(*arguments)
    die()
for line in sys.stdin:
    order = json.loads(line)
    if "path" in order:
        if queue is not None:
            queue._db.close()
        queue = Queue(connect(order["path"], relaxed=True), lambda: now[0])
        answer = None
    else:
        now[0] = order["now"]
        if order["dies"]:
            db.transaction.__exit__ = commit_and_die if order["dies"] == "after" else die
        arguments = [
            Claim(*one.values()) if isinstance(one, dict) else one for one in order["arguments"]
        ]
        answer = getattr(queue, order["call"])(*arguments, **order["named"])
    print(json.dumps(plain(answer)), flush=True)
"""


class Peer:
    """A process with the queue open, which does what the test asks for."""

    def __init__(self):
        self.process: Any = None  # a process with pipes, while it lives

    def open(self, path):
        self.path = path
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PEER.format(root=ROOT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self.tell(path=path)
        self.hear()

    def tell(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def hear(self):
        return json.loads(self.process.stdout.readline())

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def die(self):
        """Die without a word, and come back as another process."""
        self.end()
        self.open(self.path)

    def bury(self):
        """Wait for the end of one that kills itself, and start another in its place."""
        assert self.process.wait(30) == -signal.SIGKILL
        self.die()


class Remote:
    """Looks like a queue; each call is done by one of the peers, in turn."""

    def __init__(self, peers, clock):
        self.peers = peers
        self.clock = clock
        self.turn = 0

    def __getattr__(self, call):
        def ask(*arguments, **named):
            self.turn += 1
            return self.ask(self.peers[self.turn % len(self.peers)], call, arguments, named)

        return ask

    def order(self, peer, call, arguments, named, dies=""):
        sent = [
            {name: getattr(one, name) for name in CLAIMED} if isinstance(one, Claim) else one
            for one in arguments
        ]
        peer.tell(call=call, arguments=sent, named=named, now=self.clock.now, dies=dies)

    def ask(self, peer, call, arguments, named):
        self.order(peer, call, arguments, named)
        answer = peer.hear()
        if call == "claim":
            return [Claim(*(row[name] for name in CLAIMED)) for row in answer]
        if call == "counts":
            return Counts(**answer)
        return answer


@pytest.fixture(scope="module", autouse=True)
def peers():
    Peers.all = [Peer() for _ in range(PEERS)]
    yield
    for peer in Peers.all:
        peer.end()


class Peers:
    """The processes that serve every example of this module."""

    all: list[Peer] = []  # noqa: RUF012 - one set for the module, ended by its fixture
    killed = 0


class PeersMachine(QueueMachine):
    """The rules of `QueueMachine`, and processes that are killed between and in the middle."""

    def __init__(self):
        super().__init__()
        for peer in Peers.all:
            peer.open(os.path.join(self.folder.name, "stash2plex.db"))
        self.queue: Any = Remote(Peers.all, self.clock)

    @rule(number=st.integers(0, PEERS - 1))
    def kill(self, number):
        """Kill one that does nothing now: what it had claimed stays leased."""
        Peers.all[number].die()
        Peers.killed += 1

    @rule(key=KEYS, number=st.integers(0, PEERS - 1), dies=st.sampled_from(["before", "after"]))
    def kill_in_an_add(self, key, number, dies):
        """An add is there from its commit on, and not a moment earlier."""
        peer = Peers.all[number]
        self.queue.order(peer, "add", key, {"priority": URGENT}, dies)
        peer.bury()
        Peers.killed += 1
        if dies == "after":
            self.model.enqueue(key, URGENT)

    @rule(number=st.integers(0, PEERS - 1), dies=st.sampled_from(["before", "after"]))
    def kill_in_a_claim(self, number, dies):
        """A claim that nobody heard of holds its keys until the lease ends."""
        peer = Peers.all[number]
        self.queue.order(peer, "claim", (2, LEASE), {}, dies)
        peer.bury()
        Peers.killed += 1
        if dies == "before":
            return
        self.model.expire()
        due = self.model.due()
        rows = self.model.rows
        held = {key: row.lease[0] for key, row in rows.items() if row.lease}
        new = {
            (kind, id_): lease
            for kind, id_, lease in self.database.execute(
                "SELECT kind, id, lease_id FROM queue WHERE lease_id IS NOT NULL"
            )
            if held.get((kind, id_)) != lease
        }
        assert sorted((rows[key].priority, rows[key].due) for key in new) == due[:2]
        for key, lease in new.items():
            self.model.lease(key, lease)


TestPeers = PeersMachine.TestCase
TestPeers.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)


class LongPeersMachine(PeersMachine):
    """The same, for longer."""


TestPeersForLong = pytest.mark.nightly(LongPeersMachine.TestCase)
TestPeersForLong.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
