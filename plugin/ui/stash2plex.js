// Asks the plugin, once per page load, to go on with what a restart of Stash interrupted: Stash
// tells plugins nothing of its own start.
(function () {
  "use strict";
  const base = document.querySelector("base");
  const url = (base ? base.getAttribute("href") : "/").replace(/\/?$/, "/") + "graphql";
  const query =
    'mutation Wake { runPluginOperation(plugin_id: "Stash2Plex", args: { mode: "wake" }) }';
  const wake = () =>
    fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query }),
    }).catch(() => undefined);
  // After the page: whoever opens Stash should not wait for us.
  window.setTimeout(wake, 3000);
})();
