// Now: how many scenes are where, what was sent last, and the buttons to send and to hold.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Card, Notice, PlexLink, SceneLink, Table, h, useWords } = S2P.kit;
  const { ReactRouterDOM } = api.libraries;

  function Figures({ scenes }) {
    const { t, many, clock } = useWords();
    const { Link } = ReactRouterDOM;
    const rows = S2P.figures.figures(scenes);
    return h("div", null,
      h("div", { className: "s2p-stack", "aria-hidden": true }, rows.map((row) => row.number
        ? h("span", { key: row.state, className: `s2p-state-${row.state}`, style: { flexGrow: row.share } }) : null)),
      h("ul", { className: "s2p-figures" }, rows.map((row) => h("li", { key: row.state },
        h(Link, { to: row.to, title: t(`state.${row.state}.means`) },
          h("span", { className: `s2p-dot s2p-state-${row.state}`, "aria-hidden": true }),
          h("strong", null, many(row.number)), " ", h("span", null, t(`state.${row.state}`)))))),
      h("p", { className: "s2p-of" }, scenes.as_of
        ? t("figures.of", { total: many(scenes.total), at: clock(scenes.as_of) }) : t("figures.not_counted")));
  }

  // What became of a scene, in a line: "title, 2 tags, poster", or why it waits.
  function useChangeWords() {
    const { t, list, clock, reason } = useWords();
    return (change) => {
      if (change.state === "sent") {
        return change.fields.length ? list(change.fields.map((field) => t(`field.${field}`))) : t("change.same");
      }
      const why = change.words || reason(change.reason);
      return change.state === "waits" ? t("change.waits", { until: clock(change.until), why }) : t("change.given_up", { why });
    };
  }

  // New changes come on top, but not under a pointer or the focus: the list stands while it is read.
  function Changes({ page }) {
    const { t, intl } = useWords();
    const said = useChangeWords();
    const [read, setRead] = api.React.useState(null);
    const changes = read || page.changes;
    if (!changes.length) return h("p", null, t("changes.none"));
    const hold = () => setRead((old) => old || page.changes);
    const free = () => setRead(null);
    const rows = changes.map((change) => ({
      key: `${change.at} ${change.scene_id} ${change.state}`,
      cells: [
        h("time", { dateTime: change.at }, intl.formatTime(change.at, { timeStyle: "medium" })),
        h(SceneLink, { id: change.scene_id, title: change.title }), said(change),
        h(PlexLink, { web: page.plex.web, ratingKey: change.rating_key }),
      ],
    }));
    return h("div", { onMouseEnter: hold, onMouseLeave: free, onFocus: hold, onBlur: free },
      h(Table, { label: t("changes"), heads: [t("head.at"), t("head.scene"), t("head.what"), t("head.plex")], rows }));
  }

  function Actions({ page }) {
    const { t } = useWords();
    const after = () => S2P.pulse.now();
    const task = (name) => () => S2P.runTask(name);
    const draining = S2P.pace.isDraining(page);
    const paused = page.held && page.held.by === "pause";
    return h("div", { className: "s2p-actions" },
      h(Act, { run: task("Process Queue"), label: t("process"), icon: "faPlay", says: () => t("task.queued"), after }),
      h(Act, { run: task("Sync All Scenes"), label: t("sync_all"), icon: "faSyncAlt", says: () => t("task.queued"), after }),
      paused || draining ? null : h(Act, { run: () => S2P.call("pause"), label: t("pause"), icon: "faPause", says: () => t("pause.done"), after }),
      draining && page.run && page.run.by === "task"
        ? h(Act, { run: () => S2P.call("stop"), label: t("stop"), icon: "faStop", asks: t("stop.asks", { left: page.run.left }),
          says: (answer) => t("stop.done", { n: answer.scenes }), after }) : null);
  }

  function Now({ page }) {
    const { t } = useWords();
    if (!page.set_up.done) return h(S2P.views.FirstRun, { page });
    return h("div", null,
      page.sick.map((part) => h(Notice, { key: part.part + part.name, tone: "warning" },
        h("strong", null, part.what), " ", part.do, part.scenes ? ` ${t("sick.waits", { n: part.scenes })}` : "")),
      h(Card, { title: t("figures") }, h(Figures, { scenes: page.scenes })),
      h(Card, { title: t("changes") }, h(Actions, { page }), h(Changes, { page })));
  }

  S2P.views = { ...S2P.views, Now };
  S2P.kit.Figures = Figures;
  S2P.kit.useChangeWords = useChangeWords;
});
