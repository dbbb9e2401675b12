// The list behind a number: the scenes in one state.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Card, Name, PAGE, Pager, PlexLink, Problem, SceneLink, Search, Table, Waiting, h, useAddress, useAnswer, useWords } = S2P.kit;
  const { Bootstrap } = api.libraries;

  // Why scenes are left out, each with its number; a press lists those of one reason.
  function Reasons({ state, page, chosen, change }) {
    const { many, reason } = useWords();
    const found = Object.entries(state === "left_out" ? page.scenes.left_out_because : {});
    if (!found.length) return null;
    return h("ul", { className: "s2p-chips" }, found.map(([code, n]) => h("li", { key: code },
      h(Bootstrap.Button, { size: "sm", variant: chosen === code ? "primary" : "secondary", "aria-pressed": chosen === code, onClick: () => change({ reason: chosen === code ? null : code, from: null }) }, `${reason(code, true)} ${many(n)}`))));
  }

  // Whether a sync of its scenes sends anything: a rule goes on leaving out what it leaves out.
  function syncable(state, reason) {
    return state !== "sending" && (state !== "left_out" || reason === "undone");
  }

  function Scenes({ page }) {
    const { t, clock, many, reason } = useWords();
    const { values, change } = useAddress();
    const state = S2P.figures.STATES.includes(values.state) ? values.state : "to_send";
    const offset = Number(values.from) || 0;
    const asked = { state, limit: PAGE, offset };
    if (values.search) asked.search = values.search;
    if (values.reason) asked.reason = values.reason;
    const { data, problem, load } = useAnswer("scenes", asked);
    const ids = data ? data.items.map((item) => item.scene_id) : [];
    const rows = data && data.items.map((item) => ({
      key: item.scene_id,
      cells: [
        h("div", null, h(SceneLink, { id: item.scene_id, title: item.title }), h("div", { className: "s2p-path" }, h(Name, null, item.path))),
        item.words || reason(item.reason, state === "left_out"), item.until ? t("until", { at: clock(item.until) }) : clock(item.since),
        h(PlexLink, { web: page.plex.web, ratingKey: item.rating_key }),
      ],
    }));
    return h(Card, { title: t(`state.${state}`) },
      h("p", null, t(`state.${state}.means`)),
      h("div", { className: "s2p-actions" },
        h(Bootstrap.Form.Control, { as: "select", custom: true, className: "input-control s2p-pick", "aria-label": t("state"), value: state,
          onChange: (event) => change({ state: event.target.value, from: null, reason: null }) },
        S2P.figures.STATES.map((one) => h("option", { key: one, value: one }, `${t(`state.${one}`)}: ${many(page.scenes[one])}`))),
        h(Search, { value: values.search, label: t("search"), onChange: (search) => change({ search, from: null }, true) }),
        ids.length && syncable(state, values.reason)
          ? h(Act, { run: () => S2P.call("sync", { scene_ids: ids }), label: t("sync_shown", { n: ids.length }), says: (a) => t("queued_n", { n: a.changed }), after: load }) : null),
      h(Reasons, { state, page, chosen: values.reason, change }),
      h(Problem, { problem, again: load }),
      !data ? problem ? null : h(Waiting) : data.total === 0 ? h("p", null, t("none_here"))
        : h("div", null,
          h(Table, { label: t(`state.${state}`), heads: [t("head.scene"), t("head.why"), t("head.since"), t("head.plex")], rows }),
          h(Pager, { total: data.total, offset, onChange: (from) => change({ from: from || null }) })));
  }

  S2P.views = { ...S2P.views, Scenes };
});
