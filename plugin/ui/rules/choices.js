// What the user picked: rows over pages, names in a list, settings that differ from the stored ones.
(function (S2P) {
  "use strict";

  // Write names as a setting holds them: commas between, quotes around a name with a comma.
  function joinNames(names) {
    return names.map((name) => (/[,"]/.test(name) ? `"${name.replace(/"/g, '""')}"` : name)).join(", ");
  }

  // Read names from a setting; the way back of joinNames.
  function splitNames(text) {
    const names = [];
    const one = /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/y;
    while (one.lastIndex < text.length) {
      const found = one.exec(text);
      if (!found) break;
      const name = found[1] === undefined ? found[2].trim() : found[1].replace(/""/g, '"');
      if (name) names.push(name);
    }
    return names;
  }

  // Return the selection after a row was clicked.
  function toggled(selected, id) {
    return selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id];
  }

  // Return what differs from the stored settings, by key. An empty text means the default: null.
  function changed(settings, draft) {
    const values = {};
    for (const { key, value, type } of settings) {
      if (!(key in draft)) continue;
      const now = draft[key] === "" ? null : draft[key];
      const before = value === undefined || value === "" ? null : value;
      const same = type === "boolean" ? Boolean(now) === Boolean(before) : now === before;
      if (type === "secret" ? now !== null : !same) values[key] = now;
    }
    return values;
  }

  // Return why a typed value cannot be saved, as { id, values }, or null. The plugin checks again.
  function refusal(setting, value) {
    if (value === null || value === "" || setting.type !== "number") return null;
    const number = Number(value);
    const { low, high, whole } = setting;
    const ok = Number.isFinite(number) && (low === null || number >= low) &&
      (high === null || number <= high) && (!whole || Number.isInteger(number));
    return ok ? null : { id: whole ? "settings.whole" : "settings.number", values: { low, high } };
  }

  // Return the settings by group, in the order in which they came.
  function grouped(settings) {
    const groups = [];
    for (const setting of settings) {
      let group = groups.find((one) => one.name === setting.group);
      if (!group) groups.push((group = { name: setting.group, settings: [] }));
      group.settings.push(setting);
    }
    return groups;
  }

  // Return a value of a field as short text parts: a list stays a list, nothing is empty.
  function shownValue(value) {
    if (value === null || value === undefined || value === "") return [];
    if (Array.isArray(value)) return value.map((one) => (typeof one === "object" && one ? one.name || one.tag || JSON.stringify(one) : String(one)));
    return [typeof value === "object" ? JSON.stringify(value) : String(value)];
  }

  S2P.choices = { joinNames, splitNames, toggled, changed, refusal, grouped, shownValue };
})((globalThis.Stash2Plex = globalThis.Stash2Plex || {}));
