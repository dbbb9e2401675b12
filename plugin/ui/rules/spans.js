// Lengths of time and where two paths part, as data; the drawing side puts them into words.
(function (S2P) {
  "use strict";
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  const ROUGH = 0.2;

  // Return { unit, value } of the largest unit that fits into `seconds` without rounding away more
  // than a fifth: an hour and a half is 90 minutes, not two hours.
  function span(seconds) {
    const length = Math.max(0, Math.round(seconds));
    const fits = ([, size]) => length >= size && Math.abs(Math.round(length / size) * size - length) <= length * ROUGH;
    const [unit, size] = UNITS.find(fits) || UNITS[3];
    return { unit, value: Math.round(length / size) };
  }

  // Return the age of a time in seconds; null without one.
  function age(time, now) {
    const at = Date.parse(time || "");
    return Number.isNaN(at) ? null : Math.max(0, (now - at) / 1000);
  }

  // Part two paths into what differs at their start and what they share at their end. The cut is
  // at a folder, whichever slash each side uses.
  function apart(left, right) {
    const [one, other] = [left, right].map((path) => path.match(/[^\\/]*[\\/]?/g).filter(Boolean));
    let shared = 0;
    while (shared < Math.min(one.length, other.length) && same(one, other, shared)) shared += 1;
    const cut = (parts) => [parts.slice(0, parts.length - shared).join(""), parts.slice(parts.length - shared).join("")];
    return [cut(one), cut(other)];
  }

  function same(one, other, back) {
    const strip = (parts) => parts[parts.length - 1 - back].replace(/[\\/]$/, "");
    return strip(one) === strip(other);
  }

  S2P.spans = { span, age, apart };
})((globalThis.Stash2Plex = globalThis.Stash2Plex || {}));
