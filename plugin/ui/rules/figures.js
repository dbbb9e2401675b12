// The words of a scene's fields, and the seven words for a scene, in the order in which they are shown; they add up to all scenes.
(function (S2P) {
  "use strict";
  const STATES = ["in_sync", "to_send", "sending", "waiting", "not_in_plex", "given_up", "left_out"];
  const FIELDS = [
    "title", "summary", "studio", "tagline", "date", "rating", "performers", "tags", "director",
    "collection", "poster", "background",
  ];
  const COLOURS = {
    in_sync: "success", to_send: "primary", sending: "info", waiting: "secondary",
    not_in_plex: "warning", given_up: "danger", left_out: "dark",
  };

  // Return a row for each word: its number, its share of all, the list that it opens.
  function figures(scenes) {
    const shown = (share) => (share > 0 && share < 0.005 ? 0.005 : share);
    return STATES.map((state) => ({
      state,
      number: scenes[state],
      share: scenes.total ? shown(scenes[state] / scenes.total) : 0,
      colour: COLOURS[state],
      to: state === "given_up" ? S2P.links.to("trouble") : S2P.links.to("scenes", { state }),
    }));
  }

  // Return how much of a run is done, from 0 to 1, or null where nothing drains.
  function progress(page) {
    if (!page.run || !page.run.total) return null;
    return Math.min(1, page.run.done / page.run.total);
  }

  S2P.figures = { FIELDS, figures, progress, STATES };
})((globalThis.Stash2Plex = globalThis.Stash2Plex || {}));
