"""A simple client for tests and scripts: one request per connection."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back. `headers` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body."""
        return json.loads(self.body)


class Client:
    """Talks to a server on 127.0.0.1."""

    def __init__(
        self, port: int, headers: dict[str, str] | None = None, *, timeout: float = 10.0
    ) -> None:
        """Talk to a port; `headers` go with every request, `timeout` is in seconds."""
        self._port = port
        self.headers = dict(headers or {})
        self._timeout = timeout

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request and read the answer to its end."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout)
        try:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            reply = connection.getresponse()
            received = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(reply.status, received, reply.read())
        finally:
            connection.close()

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Get a path; the host of a whole address is dropped."""
        start = f"http://127.0.0.1:{self._port}"
        return self.send("GET", path.removeprefix(start), headers=headers)

    def post(self, text: str, variables: dict[str, Any] | None = None) -> Answer:
        """Send a GraphQL document and return the answer, whatever it is."""
        body = json.dumps({"query": text, "variables": variables or {}}).encode()
        return self.send("POST", "/graphql", body, {"Content-Type": "application/json"})

    def query(self, text: str, variables: dict[str, Any] | None = None) -> Any:
        """Send a GraphQL document and return its data. Raises ValueError for errors in it."""
        answer = self.post(text, variables)
        content = answer.json() if answer.status in (200, 422) else {"errors": [answer.status]}
        if content.get("errors"):
            raise ValueError(content["errors"])
        return content["data"]
