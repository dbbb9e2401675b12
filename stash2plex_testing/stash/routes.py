"""What each address answers, after the request was let in."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from stash2plex_testing.stash import images, page
from stash2plex_testing.stash.auth import COOKIE_NAME, Session
from stash2plex_testing.stash.core import Context, Core
from stash2plex_testing.stash.graphql_api import GraphQL
from stash2plex_testing.stash.images import Reply, missing, picture_reply
from stash2plex_testing.stash.plugins import Caller

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """A request that was read whole. `payload` is the parsed body of a GraphQL request."""

    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    payload: Any = None


class Routes:
    """Answers requests for one server."""

    def __init__(self, core: Core, graphql: GraphQL) -> None:
        self._core = core
        self._graphql = graphql

    def answer(self, request: Request, caller: Caller) -> Reply:
        """Answer one."""
        path, method = request.path, request.method
        if path == "/graphql":
            return self._answer_graphql(request, caller)
        if method == "POST" and path in ("/login", "/fake/task", "/fake/title"):
            return self._form(request, caller)
        if method != "GET":
            # No HEAD either: the routes register none (stash.md §5.6).
            return Reply(405, headers={"Allow": "GET"})
        if path == "/healthz":
            return Reply(200, b".")
        if path == "/login":
            return Reply(200, page.login(request.query.get("returnURL", "/")).encode(), HTML)
        if path == "/":
            number = request.query.get("page", "1")
            number = number if number.isdecimal() else "1"
            return Reply(200, page.render(self._core, max(int(number), 1)).encode(), HTML)
        if path.startswith("/plugin/"):
            return self._plugin_file(path, request)
        known = request.headers.get("If-None-Match", "")
        return images.serve(self._core.library, path, request.query, known) or missing()

    def _answer_graphql(self, request: Request, caller: Caller) -> Reply:
        headers = {"Cache-Control": "no-store"}
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
        if request.method != "POST" or kind != "application/json":
            return _json(400, {"errors": [{"message": "transport not supported"}]}, headers)
        if request.payload is None:
            text = "json request body could not be decoded"
            return _json(400, {"errors": [{"message": text}], "data": None}, headers)
        status, answer = self._graphql.answer(request.payload, Context(self._core, caller))
        return _json(status, answer, headers)

    def _form(self, request: Request, caller: Caller) -> Reply:
        """Do what a button of our own page asks for, then show the page again."""
        values = {
            key: items[0]
            for key, items in parse_qs(request.body.decode(), keep_blank_values=True).items()
        }
        if request.path == "/login":
            return self._login(values)
        if request.path == "/fake/task":
            self._core.plugins.run_task(
                values.get("plugin", ""),
                values.get("task", ""),
                {},
                description=None,
                session=caller.session,
            )
            return _see("/")
        update = {
            "query": "mutation ($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id } }",
            "variables": {"input": {"id": values.get("id"), "title": values.get("title", "")}},
        }
        self._graphql.answer(update, Context(self._core, caller))
        return _see(f"/?page={quote(values.get('page', '1'))}")

    def _login(self, values: dict[str, str]) -> Reply:
        sessions = self._core.sessions
        target = values.get("returnURL", "/")
        given = (values.get("username"), values.get("password"))
        if not sessions.has_credentials or given != (sessions.username, sessions.password):
            return Reply(401, page.login(target).encode(), HTML)
        cookie = cookie_header(sessions.seal(Session(sessions.username)), sessions.max_age)
        # Only a path of ours: never off to another host.
        local = target if target.startswith("/") and not target.startswith("//") else "/"
        reply = _see(local)
        reply.headers["Set-Cookie"] = cookie
        return reply

    def _plugin_file(self, path: str, request: Request) -> Reply:
        """Send a plugin's scripts, styles and assets (stash.md §1.7)."""
        plugin_id, _, rest = path.removeprefix("/plugin/").partition("/")
        plugins = self._core.plugins
        manifest = plugins.find(unquote(plugin_id))
        if manifest is None:
            return missing()
        if not plugins.enabled(manifest):
            return Reply(400)
        if rest in ("javascript", "css"):
            names = manifest.ui.javascript if rest == "javascript" else manifest.ui.css
            local = [name for name in names if not name.startswith(("http://", "https://"))]
            data = b"\n".join(_read(os.path.join(manifest.folder, name)) for name in local)
            reply = picture_reply(data, b"", {}, request.headers.get("If-None-Match", ""))
            reply.kind = "text/javascript" if rest == "javascript" else "text/css"
            return reply
        wanted = unquote(rest.removeprefix("assets"))
        for prefix, folder in manifest.ui.assets.items():
            if rest.startswith("assets/") and wanted.startswith(prefix):
                inner = os.path.normpath("/" + wanted.removeprefix(prefix))
                file = os.path.join(manifest.folder, folder, inner.lstrip("/"))
                if os.path.isfile(file):
                    return Reply(200, _read(file), _media_type(file))
        return missing()


def cookie_header(value: str, max_age: float) -> str:
    """Write a Set-Cookie header."""
    return f"{COOKIE_NAME}={value}; Path=/; Max-Age={int(max_age)}; HttpOnly; SameSite=Lax"


def _json(status: int, value: Any, headers: dict[str, str]) -> Reply:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, "application/json", headers)


def _see(location: str) -> Reply:
    return Reply(303, headers={"Location": location})


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _media_type(path: str) -> str:
    return {
        ".js": "text/javascript",
        ".css": "text/css",
        ".html": HTML,
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".png": "image/png",
    }.get(os.path.splitext(path)[1], "application/octet-stream")
