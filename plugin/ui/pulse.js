// The one poll of a window, shared by the page and the button in the navigation, which Stash draws
// twice. It asks only while it is watched and the window is visible.
(function (S2P) {
  "use strict";
  const state = { page: null, problem: null, at: 0, failures: 0 };
  const watchers = new Map();
  let timer = null;
  let asking = null;

  function watched() {
    const kinds = [...watchers.values()];
    return kinds.includes("page") ? "page" : kinds.length ? "badge" : "";
  }

  function plan() {
    clearTimeout(timer);
    const wait = S2P.pace.nextAsk({
      visible: !document.hidden,
      watched: watched(),
      draining: S2P.pace.isDraining(state.page),
      failures: state.failures,
    });
    if (wait !== null) timer = setTimeout(now, Math.max(0, state.at + wait - Date.now()));
  }

  // Ask at once, or return the question that is under way.
  function now() {
    if (!asking) {
      clearTimeout(timer);
      asking = S2P.call("page").then((answer) => {
        asking = null;
        state.at = Date.now();
        state.problem = answer.problem || null;
        state.failures = answer.problem ? state.failures + 1 : 0;
        if (!answer.problem) state.page = answer;
        for (const told of [...watchers.keys()]) told();
        plan();
      });
    }
    return asking;
  }

  // Call `told` after each answer, until the returned function is called. `kind` is "page" or
  // "badge"; a badge waits `delay` milliseconds with its first question.
  function watch(told, kind, delay = 0) {
    watchers.set(told, kind);
    if (!state.at && delay) state.at = Date.now() - S2P.pace.nextAsk({ visible: true, watched: kind, failures: 0 }) + delay;
    plan();
    return () => {
      watchers.delete(told);
      plan();
    };
  }

  document.addEventListener("visibilitychange", plan);
  S2P.pulse = { state, now, watch };
})((window.Stash2Plex = window.Stash2Plex || {}));
