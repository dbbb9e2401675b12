// The one sentence on top of the page: the first that fits (see the order of the checks).
(function (S2P) {
  "use strict";
  const STEPS = ["plex", "library", "files", "start"];

  // Return { id, values, tone, action } for an answer of `page`; `problem` is why there is no new
  // one. `id` names a text, `action` a button: what it does and where it leads.
  function topLine(page, problem) {
    if (problem) return line("failed", { what: problem.what }, "danger", problem.action || "again");
    if (!page) return line("loading", {}, "info", null);
    const { scenes, plex, stash, held, sick } = page;
    const waits = scenes.to_send + scenes.sending + scenes.waiting;
    if (!page.set_up.done) {
      const step = STEPS.indexOf(page.set_up.step) + 1;
      return line(step > 1 ? "set_up_goes_on" : "set_up", { step, steps: STEPS.length }, "info", "set_up");
    }
    if (plex.refused) return line("token", { waits }, "danger", "sign_in");
    if (plex.state !== "closed") {
      return line("plex_away", { waits, since: plex.since, what: plex.problem || "" }, "danger", "wake");
    }
    if (stash.refused || stash.state !== "closed") {
      return line("stash_away", { waits, since: stash.since, what: stash.problem || "" }, "danger", "wake");
    }
    if (held && held.by !== "off") {
      const words = held.by === "pause" ? "paused" : held.by === "stop" ? "stopped" : "set_up";
      const values = { waits: held.by === "stop" ? held.scenes : waits, since: held.since, task: held.task || "" };
      return line(words, values, "warning", words === "set_up" ? "set_up" : "resume");
    }
    if (sick.length) {
      const [first] = sick;
      return line("sick", { name: first.name, what: first.what, waits: first.scenes || 0 }, "warning", "trouble");
    }
    if (S2P.pace.isDraining(page)) {
      const left = page.run ? page.run.left : scenes.to_send + scenes.sending;
      return line("sending", { left, rate: page.rate_per_s, eta: page.eta_s }, "info", "pause");
    }
    if (held) return line("off", { waits }, "warning", "process");
    if (scenes.given_up) {
      return line("given_up", { n: scenes.given_up, synced: scenes.in_sync }, "warning", "trouble");
    }
    if (scenes.to_send) return line("due", { waits: scenes.to_send }, "info", "process");
    if (scenes.not_in_plex) {
      return line("not_in_plex", { n: scenes.not_in_plex, synced: scenes.in_sync }, "success", "not_in_plex");
    }
    if (scenes.waiting) return line("waiting", { n: scenes.waiting, synced: scenes.in_sync }, "info", "waiting");
    if (!scenes.total) return line("empty", {}, "info", null);
    return line("well", { synced: scenes.in_sync, last: page.last_sync_at }, "success", "sync_all");
  }

  function line(id, values, tone, action) {
    return { id, values, tone, action };
  }

  S2P.topLine = topLine;
})((globalThis.Stash2Plex = globalThis.Stash2Plex || {}));
