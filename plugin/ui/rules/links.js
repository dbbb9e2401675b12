// Addresses of the page. What is shown is in them, so that a link can point at it and Back works.
(function (S2P) {
  "use strict";
  const ROOT = "/plugins/stash2plex";
  const VIEWS = ["now", "trouble", "library", "history", "settings"];

  // Return the address of a view below Stash's base; empty values are left out.
  function to(view, values = {}) {
    const query = Object.keys(values)
      .filter((name) => values[name] !== undefined && values[name] !== null && values[name] !== "")
      .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(values[name])}`);
    const path = view === "now" ? ROOT : `${ROOT}/${view}`;
    return query.length ? `${path}?${query.join("&")}` : path;
  }

  // Return the view and the values of an address.
  function read(path, search) {
    const rest = path.slice(path.indexOf(ROOT) + ROOT.length).split("/").filter(Boolean);
    const values = {};
    for (const part of (search || "").replace(/^\?/, "").split("&").filter(Boolean)) {
      const [name, value = ""] = part.split("=");
      values[plain(name)] = plain(value);
    }
    return { view: rest[0] || "now", values };
  }

  function plain(text) {
    try {
      return decodeURIComponent(text.replace(/\+/g, " "));
    } catch (error) {
      return text; // A percent sign that a user typed.
    }
  }

  // Return an address outside the page if it is safe to follow, else "".
  function outside(address) {
    return /^https?:\/\//i.test(address || "") ? address : "";
  }

  S2P.links = { ROOT, VIEWS, to, read, outside };
})((globalThis.Stash2Plex = globalThis.Stash2Plex || {}));
