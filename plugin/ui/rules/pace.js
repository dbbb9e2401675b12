// When the page asks the plugin next. Each question starts a process in Stash.
(function (S2P) {
  "use strict";
  const SECOND = 1000;
  const WAITS = { draining: 2 * SECOND, page: 15 * SECOND, badge: 60 * SECOND };
  const LONGEST = 300 * SECOND;

  // Return the milliseconds until the next question, or null for none. `watched` is "page" while
  // the page is open, "badge" while only the button in the navigation is. After `failures` in a
  // row the wait doubles each time, up to five minutes.
  function nextAsk({ visible, watched, draining, failures }) {
    if (!visible || !watched) return null;
    const wait = watched === "page" && draining && !failures ? WAITS.draining : WAITS[watched];
    return Math.min(wait * 2 ** Math.min(failures, 8), LONGEST);
  }

  // Return whether scenes are on their way to Plex, whoever sends them.
  function isDraining(page) {
    if (!page || page.held && page.held.by !== "stop") return false;
    return Boolean(page.run) || page.scenes.sending > 0 || page.worker.running && page.scenes.to_send > 0;
  }

  S2P.pace = { nextAsk, isDraining };
})((globalThis.Stash2Plex = globalThis.Stash2Plex || {}));
