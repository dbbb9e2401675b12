"""Surveys every scene as a job of Stash: counts what a sync would do, or compares with Plex.

Stash runs its jobs one at a time, shows them and can stop them. Nothing is written to Plex.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, evolve

from stash2plex.app import PLUGIN_ID, App
from stash2plex.errors import Interrupted, ServerError, Stash2PlexError
from stash2plex.model import Field, PlexItem
from stash2plex.operations.disabled import DisabledWatch
from stash2plex.operations.preview import Preview, preview_pages
from stash2plex.rules.drift import Kind
from stash2plex.rules.merge import held_text
from stash2plex.servers.jobs import TASK_DESCRIPTION
from stash2plex.servers.stash_deeds import start_task
from stash2plex.store.differences import Difference, Differences
from stash2plex.store.progress import Progress
from stash2plex.store.surveys import Survey, SurveyKind, Surveys
from stash2plex.sync.observer import Observer
from stash2plex.sync.reconcile import Pair
from stash2plex.sync.report import Report
from stash2plex.text import utc

FRESH_SECONDS = 60.0
"""How long the end of a count stands: the page that waits for it asks for a start each time."""

NAMES = {
    SurveyKind.CHANGES: "Stash2Plex: count what a sync would change",
    SurveyKind.COMPARISON: "Stash2Plex: compare every scene with Plex",
}
"""How Stash shows the jobs."""

LOST = "It was ended before every scene was seen. Start it again."

NO_CHANGES: dict[str, Any] = {
    "changing": 0,
    "unchanged": 0,
    "not_matched": {},
    "left_out": {},
    "fields": {},
}
NO_COMPARISON: dict[str, Any] = {"seen": 0, "in_sync": 0, "differing": 0, "missing": 0}


def changes_json(app: App, *, start: bool) -> dict[str, Any]:
    """Return the count as far as it has got; `start` begins one unless one runs or just ended."""
    state, survey = _follow(app, SurveyKind.CHANGES, start=start, keep_seconds=FRESH_SECONDS)
    counts = (survey.counts if survey else None) or NO_CHANGES
    return {"work": _work_json(state, survey), **counts}


def comparison_json(
    app: App, *, start: bool, field: str, limit: int, offset: int
) -> dict[str, Any]:
    """Return the comparison as far as it has got, with a page of differences.

    `start` begins one unless one runs. An empty `field` means every field.
    """
    state, survey = _follow(app, SurveyKind.COMPARISON, start=start, keep_seconds=0.0)
    counts = (survey.counts if survey else None) or NO_COMPARISON
    differences = Differences(app.store.connection)
    return {
        "work": _work_json(state, survey),
        **counts,
        "fields": differences.scenes_by_field(),
        "total": differences.total(field),
        "items": differences.page(field, limit, offset),
    }


def carry_out(app: App, kind: SurveyKind, word: str, observer: Observer) -> bool:
    """Do the survey that was begun with `word`; False if it was done or another one has begun.

    A failure is stored for the page.
    """
    surveys = Surveys(app.store.connection)
    survey = surveys.take(kind, word)
    if survey is None:
        return False
    book = _Book(app, surveys, kind, survey, observer, DisabledWatch(app))
    problem: str | None = None
    work = _count if kind is SurveyKind.CHANGES else _compare
    try:
        book.total(app.stash.count_scenes())
        problem = work(app, book)
    except Stash2PlexError as error:
        problem = str(error)
    except BaseException:
        problem = LOST
        raise
    finally:
        book.end(problem)
    observer.progress(Progress(done=book.survey.done, ended=True))
    return True


@define
class _Book:
    """Stores how far a survey has got, and ends one that is no longer wanted."""

    app: App
    surveys: Surveys
    kind: SurveyKind
    survey: Survey
    observer: Observer
    disabled: DisabledWatch

    def total(self, number: int) -> None:
        """Store how many scenes there are. Raises Interrupted if another survey has begun."""
        self._keep(evolve(self.survey, total=number))

    def reach(self, done: int, counts: dict[str, Any]) -> None:
        """Store and show how many scenes were seen, with what was counted.

        Raises Interrupted if another survey has begun, or if the plugin was disabled.
        """
        self._keep(evolve(self.survey, done=done, counts=counts))
        left = max(0, (self.survey.total or 0) - done)
        self.observer.progress(Progress(done=done, left=left))
        if self.disabled.disabled():
            raise Interrupted("The plugin was disabled in Stash.")

    def end(self, problem: str | None) -> None:
        """Store that it has ended, and why before every scene was seen; not over another one."""
        ended = evolve(self.survey, ended_at=self.app.clock(), problem=problem)
        self.surveys.keep(self.kind, ended)

    def _keep(self, survey: Survey) -> None:
        if not self.surveys.keep(self.kind, survey):
            raise Interrupted("Another one has begun.")
        self.survey = survey


def _count(app: App, book: _Book) -> str | None:
    """Count what a sync would do; a failure is an error, so there is nothing to return."""

    def note(preview: Preview) -> None:
        book.reach(
            preview.seen,
            {
                "changing": preview.changing,
                "unchanged": preview.unchanged + preview.settled,
                "not_matched": dict(preview.not_matched_reasons),
                "left_out": dict(preview.left_out_reasons),
                "fields": {str(name): n for name, n in preview.fields.most_common()},
            },
        )

    pages = app.stash.all_scenes()
    note(preview_pages(app, ((page.scenes, page.unreadable) for page in pages), note))
    return None


def _compare(app: App, book: _Book) -> str | None:
    """Compare on a copy of the database; returns why the comparison is not complete."""
    differences = Differences(app.store.connection)
    differences.clear()
    collected: list[Difference] = []

    def note(report: Report) -> None:
        differences.add(collected)
        collected.clear()
        counts = {kind: number or 0 for kind, number in report.counts.items()}
        differing = counts[Kind.STALE] + counts[Kind.DRIFTED] + counts[Kind.EMPTY]
        book.reach(
            report.scenes,
            {
                "seen": report.scenes,
                "in_sync": report.in_sync or 0,
                "differing": differing,
                "missing": counts[Kind.MISSING],
            },
        )

    with app.rehearsal() as copy:
        run = copy.make_reconciliation(copy.open_session(), drifted=_collect(collected))
        for _ in run.pages():
            note(run.report())
        report = run.report()
        note(report)
    return report.problem


def _collect(collected: list[Difference]) -> Callable[[Pair, PlexItem, tuple[Field, ...]], None]:
    def collect(pair: Pair, item: PlexItem, fields: tuple[Field, ...]) -> None:
        collected.extend(_difference(pair, item, name) for name in fields)

    return collect


def _difference(pair: Pair, item: PlexItem, name: Field) -> Difference:
    desired, written = pair.desired, pair.record.written if pair.record else {}
    stash: object = None
    plex: object = None
    if name in desired.texts:
        stash, plex = desired.texts[name], held_text(item, name)
    elif name in desired.lists:
        stash, plex = list(desired.lists[name]), list(item.lists.get(name, ()))
    elif name is Field.RATING:
        stash, plex = desired.rating, item.rating
    was = written.get(name)
    return Difference(
        pair.scene.id,
        pair.scene.label,
        item.rating_key,
        str(name),
        stash,
        plex,
        list(was) if isinstance(was, tuple) else was,
    )


def _follow(
    app: App, kind: SurveyKind, *, start: bool, keep_seconds: float
) -> tuple[str, Survey | None]:
    """Return the state and the survey. Raises what Stash's client raises."""
    surveys = Surveys(app.store.connection)
    survey = surveys.read(kind)
    if survey is not None and survey.ended_at is None and not _has_job(app, kind):
        # It may have ended between the two looks.
        survey = surveys.read(kind)
        if survey is not None and survey.ended_at is None:
            survey = evolve(survey, problem=LOST)
    state = _state(survey)
    if start and state != "running":
        # A job that dies at once must not be started by each poll either.
        known_at = (survey.ended_at or survey.began_at) if survey else None
        if known_at is None or not 0 <= app.clock() - known_at < keep_seconds:
            return "running", _begin(app, surveys, kind)
    return state, survey


def _state(survey: Survey | None) -> str:
    if survey is None:
        return "none"
    if survey.problem is not None:
        return "failed"
    return "running" if survey.ended_at is None else "ended"


def _has_job(app: App, kind: SurveyKind) -> bool:
    wanted = TASK_DESCRIPTION + NAMES[kind]
    return any(job.description == wanted and job.runs for job in app.stash.job_queue())


def _begin(app: App, surveys: Surveys, kind: SurveyKind) -> Survey:
    """Store the survey before its job, which may start at once."""
    word = f"{app.random.getrandbits(64):016x}"
    survey = surveys.begin(kind, word, app.clock())
    try:
        start_task(
            app.stash.link,
            PLUGIN_ID,
            description=NAMES[kind],
            arguments={"mode": "survey", "kind": str(kind), "word": word},
        )
    except ServerError as error:
        surveys.keep(kind, evolve(survey, ended_at=app.clock(), problem=str(error)))
        raise
    return survey


def _work_json(state: str, survey: Survey | None) -> dict[str, Any]:
    return {
        "state": state,
        "began_at": utc(survey.began_at) if survey else None,
        "ended_at": utc(survey.ended_at) if survey and survey.ended_at else None,
        "done": survey.done if survey else 0,
        "total": survey.total if survey else None,
        "problem": survey.problem if survey else None,
    }
