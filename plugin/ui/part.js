// Builds the page part by part. A part that cannot be built ends the page, never Stash's own.
(function (S2P) {
  "use strict";
  S2P.base = () => {
    const base = document.querySelector("base");
    return (base ? base.getAttribute("href") : "/").replace(/\/?$/, "/");
  };

  S2P.part = (build) => {
    if (!window.PluginApi || S2P.broken) return;
    try {
      build(window.PluginApi);
    } catch (error) {
      S2P.broken = error;
      console.error("Stash2Plex: the page cannot be shown.", error);
    }
  };
})((window.Stash2Plex = window.Stash2Plex || {}));
