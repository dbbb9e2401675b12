"""What each address answers, after the request was let in."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from stash2plex_testing.stash import host, images, page
from stash2plex_testing.stash.auth import COOKIE_NAME, Session
from stash2plex_testing.stash.core import Context, Core
from stash2plex_testing.stash.criteria import StashError
from stash2plex_testing.stash.graphql_api import GraphQL
from stash2plex_testing.stash.images import Reply, missing, not_found, picture_reply
from stash2plex_testing.stash.plugins import Caller
from stash2plex_testing.stash.requestbody import Asked, BodyError, read_json, read_request

HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
"""What a client gets that accepts anything: not what one gets that names no type at all."""


@dataclass(frozen=True)
class Request:
    """A request that was read whole."""

    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes


class Routes:
    """Answers requests for one server."""

    def __init__(self, core: Core, graphql: GraphQL) -> None:
        self._core = core
        self._graphql = graphql

    def answer(self, request: Request, caller: Caller) -> Reply:
        """Answer a request. A slash at the end of its path does not count."""
        path, method = request.path, request.method
        if len(path) > 1:
            path = path.removesuffix("/")
        if path == "/healthz" and method in ("GET", "HEAD"):
            return Reply(200, b".", "text/plain")
        if path == "/graphql":
            return self._answer_graphql(request, caller)
        if method == "POST" and path in ("/login", "/fake/task", "/fake/title"):
            return self._form(request, caller)
        if path.startswith(("/plugin/", *images.KINDS)) or path in ("/login", "/logout"):
            if method != "GET":
                # No HEAD either: the routes register none (stash.md §5.6).
                return Reply(405, kind="", headers={"Allow": "GET"})
            return self._registered(path, request)
        return self._page(path, request)

    def _registered(self, path: str, request: Request) -> Reply:
        if path == "/logout":
            reply = found("/login" if self._core.sessions.has_credentials else "/")
            reply.headers["Set-Cookie"] = cookie_header("", 0)
            return reply
        if path == "/login":
            target = request.query.get("returnURL", "")
            if not self._core.sessions.has_credentials:
                return found(target or "/")
            return Reply(200, page.login(target or "/").encode(), HTML)
        if path.startswith("/plugin/"):
            return self._plugin_file(path, request)
        known = request.headers.get("If-None-Match", "")
        return images.serve(self._core.library, path, request.query, known)

    def _page(self, path: str, request: Request) -> Reply:
        """Send the page, to whatever address that names no file, by any method: 200, not 404."""
        interface = self._core.interface
        if interface and path.startswith("/assets/"):
            return host.asset(interface, path)
        if os.path.splitext(path)[1] or f"{path}/" in (*images.KINDS, "/plugin/"):
            return missing()
        if interface:
            return host.index(interface, request.headers.get("X-Forwarded-Prefix", ""))
        number = request.query.get("page", "1")
        number = number if number.isdecimal() else "1"
        return Reply(200, page.render(self._core, max(int(number), 1)).encode(), HTML)

    def _answer_graphql(self, request: Request, caller: Caller) -> Reply:
        headers = {"Cache-Control": "no-store"}
        if request.method == "HEAD":
            return Reply(405, kind="", headers=headers)
        if request.method == "OPTIONS":
            return Reply(200, kind="", headers={**headers, "Allow": "OPTIONS, GET, POST"})
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if request.method != "GET" and (request.method != "POST" or kind != "application/json"):
            return _json(400, _only("transport not supported"), headers, PLAIN)
        accepted = answer_kind(request.headers.get("Accept", ""))
        try:
            asked = read_request(request.body) if request.method == "POST" else _in_query(request)
        except BodyError as error:
            return _json(400, _only(str(error)), headers, accepted)
        except StashError as error:
            return _json(422, _only(str(error)), headers, accepted)
        status, answer = self._graphql.answer(
            asked, Context(self._core, caller), only_queries=request.method == "GET"
        )
        # The newer media type has another status for what is not valid.
        status = 400 if status == 422 and accepted == GRAPHQL_RESPONSE else status
        return _json(status, answer, headers, accepted)

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
        update = Asked(
            "mutation ($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id } }",
            variables={"input": {"id": values.get("id"), "title": values.get("title", "")}},
        )
        self._graphql.answer(update, Context(self._core, caller))
        return _see(f"/?page={quote(values.get('page', '1'))}")

    def _login(self, values: dict[str, str]) -> Reply:
        """Let a user in: 200 with the cookie. Stash's page goes on by a script, ours does not."""
        sessions = self._core.sessions
        target = values.get("returnURL", "/")
        given = (values.get("username"), values.get("password"))
        if not sessions.has_credentials or given != (sessions.username, sessions.password):
            return Reply(401, b"Username or password is invalid\n")
        # Only a path of ours: never off to another host.
        local = target if target.startswith("/") and not target.startswith("//") else "/"
        cookie = cookie_header(sessions.seal(Session(sessions.username)), sessions.max_age)
        return Reply(200, page.onward(local).encode(), HTML, {"Set-Cookie": cookie})

    def _plugin_file(self, path: str, request: Request) -> Reply:
        """Send a plugin's scripts, styles and assets (stash.md §1.7)."""
        plugin_id, _, rest = path.removeprefix("/plugin/").partition("/")
        plugins = self._core.plugins
        manifest = plugins.find(unquote(plugin_id))
        if manifest is None:
            return not_found()
        if not plugins.enabled(manifest):
            return Reply(400, b"plugin disabled\n")
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
    return f"{COOKIE_NAME}={value}; Path=/; Max-Age={int(max_age)}; SameSite=Lax"


def answer_kind(accept: str) -> str:
    """Choose the media type of an answer by the Accept header, as gqlgen does."""
    if not accept:
        return JSON
    for part in accept.split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in ("*/*", "application/*", GRAPHQL_RESPONSE):
            return GRAPHQL_RESPONSE
        if kind == JSON:
            return JSON
    return GRAPHQL_RESPONSE


def _in_query(request: Request) -> Asked:
    """Read a request from its address. Raises BodyError."""
    variables: Any = {}
    if text := request.query.get("variables"):
        try:
            variables = read_json(text)
        except BodyError:
            variables = None
        if not isinstance(variables, dict):
            raise BodyError("variables could not be decoded")
    query = request.query
    return Asked(query.get("query", ""), query.get("operationName", ""), variables)


def _only(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message}], "data": None}


def _json(status: int, value: Any, headers: dict[str, str], kind: str) -> Reply:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half a pair of surrogates is no character to Go.
    body = re.sub("[\ud800-\udfff]", "\ufffd", text).encode()
    return Reply(status, body, kind, headers)


def found(location: str) -> Reply:
    """Send a client on, as Go does."""
    body = f'<a href="{escape(location)}">Found</a>.\n\n'.encode()
    return Reply(302, body, HTML, {"Location": location})


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
