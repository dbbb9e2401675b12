"""The queue against the plain model, worked by several real processes that die at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from stash2plex.workqueue import Claim, Counts
from tests.store.test_queue_model import IDS, LEASE, QueueMachine, Row

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = 3

PEER = """import json, sys
sys.path.insert(0, {root!r})
from stash2plex.db import connect
from stash2plex.workqueue import Claim, WorkQueue
now = [0.0]
queue = None
def plain(value):
    if isinstance(value, list):
        return [plain(one) for one in value]
    slots = getattr(value, "__slots__", None)
    return {{name: getattr(value, name) for name in slots}} if slots else value
for line in sys.stdin:
    order = json.loads(line)
    if "path" in order:
        if queue is not None:
            queue._db.close()
        queue = WorkQueue(connect(order["path"], relaxed=True), lambda: now[0])
        answer = None
    else:
        now[0] = order["now"]
        arguments = [
            Claim(one["kind"], one["id"], one["lease_id"], 0, 0, 0, 0)
            if isinstance(one, dict) else one for one in order["arguments"]
        ]
        answer = getattr(queue, order["call"])(*arguments, **order["named"])
    print(json.dumps(plain(answer)), flush=True)
"""


class Peer:
    """A process with the queue open, which does as it is told."""

    def __init__(self):
        self.process = None

    def open(self, path):
        self.path = path
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-S", "-c", PEER.format(root=ROOT)],
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

    def order(self, peer, call, arguments, named):
        sent = [
            {"kind": one.kind, "id": one.id, "lease_id": one.lease_id}
            if isinstance(one, Claim)
            else one
            for one in arguments
        ]
        peer.tell(call=call, arguments=sent, named=named, now=self.clock.now)

    def ask(self, peer, call, arguments, named):
        self.order(peer, call, arguments, named)
        answer = peer.hear()
        if call == "claim":
            return [
                Claim(
                    row["kind"], row["id"], row["lease_id"], row["attempts"], row["snoozes"],
                    row["interruptions"], row["priority"],
                )
                for row in answer
            ]  # fmt: skip
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
        self.queue = Remote(Peers.all, self.clock)

    @rule(number=st.integers(0, PEERS - 1))
    def kill(self, number):
        """Kill one that does nothing now: what it had claimed stays leased."""
        Peers.all[number].die()
        Peers.killed += 1

    @rule(id_=IDS, number=st.integers(0, PEERS - 1))
    def kill_in_an_add(self, id_, number):
        """An add that nobody heard the end of was done or was not; never half."""
        peer = Peers.all[number]
        self.queue.order(peer, "add", ("scene", id_), {"priority": 0})
        peer.die()
        Peers.killed += 1
        found = self.database.execute(
            "SELECT generation, due_at, priority FROM queue WHERE id = ?", (id_,)
        ).fetchone()
        row = self.rows.get(id_)
        before = (row.generation, row.due, row.priority) if row else None
        if found == before:
            assert (id_ in self.dead) == bool(self.is_dead(id_))
            return
        assert not self.is_dead(id_)
        self.dead.discard(id_)
        if row is None:
            assert found == (1, self.clock.now, 0)
            self.rows[id_] = Row(0, self.clock.now)
        else:
            row.generation += 1
            row.priority, row.due = 0, min(row.due, self.clock.now)
            assert found == (row.generation, row.due, row.priority)

    def is_dead(self, id_):
        return self.database.execute("SELECT 1 FROM dead_letter WHERE id = ?", (id_,)).fetchone()

    @rule(number=st.integers(0, PEERS - 1))
    def kill_in_a_claim(self, number):
        """A claim that nobody heard of holds keys until the lease ends, or holds none."""
        peer = Peers.all[number]
        self.queue.order(peer, "claim", (2, LEASE), {})
        peer.die()
        Peers.killed += 1
        leases = dict(
            self.database.execute("SELECT id, lease_id FROM queue WHERE lease_id NOTNULL")
        )
        known = {id_: row.lease[0] for id_, row in self.rows.items() if row.lease}
        if leases == known:
            return
        for row in self.rows.values():
            if row.lease and row.lease[2] <= self.clock.now:
                row.lease = None
                row.interruptions += 1
        due = sorted(
            (row.priority, row.due)
            for row in self.rows.values()
            if row.lease is None and row.due <= self.clock.now
        )
        new = {id_: lease for id_, lease in leases.items() if known.get(id_) != lease}
        assert len(set(new.values())) <= 1
        assert sorted((self.rows[id_].priority, self.rows[id_].due) for id_ in new) == due[:2]
        for id_, lease in new.items():
            row = self.rows[id_]
            row.lease = (lease, row.generation, self.clock.now + LEASE)


TestPeers = PeersMachine.TestCase
TestPeers.settings = settings(max_examples=8, stateful_step_count=25, deadline=None)


class LongPeersMachine(PeersMachine):
    """The same, for longer."""


TestPeersForLong = pytest.mark.nightly(LongPeersMachine.TestCase)
TestPeersForLong.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
