"""A page to look at the library and to run things by hand. It is ours: Stash has another one."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from stash2plex_testing.stash.core import Core
from stash2plex_testing.stash.records import Scene
from stash2plex_testing.stash.search import Found

ON_PAGE = 24
"""Scenes of one page."""

STYLE = """
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif }
body { margin: 0 auto; max-width: 60rem; padding: 1rem }
h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem }
ul { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr));
     list-style: none; margin: 0; padding: 0 }
li { border: 1px solid #8886; border-radius: .5rem; padding: .75rem }
li img { border-radius: .3rem; height: 3rem; float: right; margin-left: .5rem }
small { display: block; opacity: .75; overflow-wrap: anywhere }
form { display: flex; gap: .5rem; margin-top: .5rem }
input { flex: 1; font: inherit; min-width: 0; padding: .5rem }
button { font: inherit; min-height: 2.75rem; padding: .25rem .9rem }
pre { overflow: auto } nav a { display: inline-block; padding: .6rem 1rem .6rem 0 }
"""


def render(core: Core, page: int) -> str:
    """Write the page: the plugins' tasks, the scenes, the newest log lines."""
    paging = {"page": page, "per_page": ON_PAGE, "sort": "id", "direction": "ASC"}
    found = Found(
        core.library.scenes,
        "scene",
        core.library,
        test=None,
        bounds=(0, float("inf")),
        paging=paging,
    )
    scenes = "".join(_scene(scene, page) for scene in found.rows)
    lines = "\n".join(f"{line.level:8}{line.message}" for line in core.journal.shown())
    before = f'<a href="/?page={page - 1}">Back</a>' if page > 1 else ""
    after = f'<a href="/?page={page + 1}">More</a>' if found.count > page * ON_PAGE else ""
    return _document(
        f"<h1>FakeStash: {found.count} scenes</h1>"
        f"<h2>Tasks</h2>{_tasks(core) or '<p>No plugin has tasks.</p>'}{_jobs(core)}"
        f"<h2>Scenes</h2><ul>{scenes}</ul><nav>{before}{after}</nav>"
        f"<h2>Log</h2><pre>{escape(lines)}</pre>"
    )


def login(return_url: str) -> str:
    """Write the login form."""
    return _document(
        '<h1>FakeStash</h1><form method="post" action="/login">'
        f'<input type="hidden" name="returnURL" value="{escape(return_url)}">'
        '<input name="username" placeholder="User name" autocomplete="username">'
        '<input name="password" type="password" placeholder="Password">'
        "<button>Log in</button></form>"
    )


def onward(address: str) -> str:
    """Write a page that leads on to another one at once."""
    refresh = f'<meta http-equiv="refresh" content="0;url={escape(address)}">'
    return f"<!doctype html><title>FakeStash</title>{refresh}"


def _document(body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>FakeStash</title><style>{STYLE}</style></head><body>{body}</body></html>"
    )


def _tasks(core: Core) -> str:
    forms = [
        '<li><form method="post" action="/fake/task">'
        f'<input type="hidden" name="plugin" value="{escape(manifest.id)}">'
        f'<input type="hidden" name="task" value="{escape(task.name)}">'
        f"<button>{escape(task.name)}</button></form><small>{escape(task.description)}</small></li>"
        for manifest in core.plugins.manifests
        if core.plugins.enabled(manifest)
        for task in manifest.tasks
    ]
    return f"<ul>{''.join(forms)}</ul>" if forms else ""


def _jobs(core: Core) -> str:
    rows = "".join(
        f"<p>{escape(job.description)}: {job.status.lower()}"
        f"{f', {job.progress:.0%}' if job.progress is not None else ''}</p>"
        for job in core.jobs.queue()
    )
    return f"<h2>Queue</h2>{rows}" if rows else ""


def _scene(scene: Scene, page: int) -> str:
    path = scene.files[0].path if scene.files else "no file"
    facts = [scene.date or "no date", scene.studio.name if scene.studio else "no studio"]
    facts += [performer.name for performer in scene.performers]
    title = scene.title or ""
    return (
        f'<li><img src="/scene/{scene.id}/screenshot?t={quote(scene.updated_at)}" alt="">'
        f"<small>{scene.id} · {escape(', '.join(facts))}</small><small>{escape(path)}</small>"
        '<form method="post" action="/fake/title">'
        f'<input type="hidden" name="id" value="{scene.id}">'
        f'<input type="hidden" name="page" value="{page}">'
        f'<input name="title" value="{escape(title)}" aria-label="Title" placeholder="no title">'
        "<button>Save</button></form></li>"
    )
