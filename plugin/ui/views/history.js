// History: what was written, by run or by scene, with the way back; the outages as a picture.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Card, Icon, Name, PAGE, Pager, PlexLink, Problem, SceneLink, Table, Waiting, h, useAddress, useAnswer, useWords } = S2P.kit;
  const { React } = api;
  const { Bootstrap, ReactRouterDOM } = api.libraries;
  const { Button } = Bootstrap;

  // Count first what would be put back; the second press does it.
  function PutBack({ what, label }) {
    const { t } = useWords();
    const [seen, setSeen] = React.useState(null);
    if (!seen) {
      return h(Act, { run: () => S2P.call("undo", { ...what, dry_run: true }), label: label || t("put_back"), icon: "faUndo", size: "sm", says: (a) => t("put_back.would", a), after: setSeen });
    }
    return h("span", { className: "s2p-act" }, h("span", { role: "status" }, t("put_back.would", seen), " "),
      seen.queued ? h(Act, { run: () => S2P.call("undo", what), label: t("put_back.now", { n: seen.queued }), icon: "faUndo", size: "sm", variant: "danger", says: (a) => t("queued_n", { n: a.queued }), after: () => S2P.pulse.now() }) : null,
      h(Button, { size: "sm", variant: "secondary", onClick: () => setSeen(null) }, t("cancel")));
  }

  function Fields({ fields }) {
    const { t } = useWords();
    return h("ul", { className: "s2p-plain" }, S2P.figures.FIELDS.filter((field) => fields[field]).map((field) => {
      const one = fields[field];
      // A picture is stored as its hash.
      const shown = (value) => (["poster", "background"].includes(field) && value ? [t("picture")] : S2P.choices.shownValue(value));
      const said = (value) => h(Name, { fallback: t("nothing") }, shown(value).join(", "));
      const spelt = one.shown !== undefined && one.shown !== null && JSON.stringify(one.shown) !== JSON.stringify(one.sent);
      return h("li", { key: field }, h("strong", null, t(`field.${field}`)), ": ", said(one.before), " ", h(Icon, { name: "faArrowRight" }), h("span", { className: "sr-only" }, t("becomes")), " ", said(one.sent),
        spelt ? h("span", { className: "text-muted" }, " ", t("spelt"), " ", said(one.shown)) : null);
    }));
  }

  function Writes({ page, of, back }) {
    const { t, clock } = useWords();
    const [offset, setOffset] = React.useState(0);
    const { data, problem, load } = useAnswer("history", { ...of, limit: PAGE, offset });
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const rows = data.items.map((one, index) => ({ key: `${one.at} ${one.scene_id} ${index}`, cells: [
      h("time", { dateTime: one.at }, clock(one.at)),
      one.scene_id ? h(SceneLink, { id: one.scene_id, title: one.title }) : h(Name, null, one.title),
      h(Fields, { fields: one.fields }), h("span", { className: "s2p-actions" }, h(PlexLink, { web: page && page.plex.web, ratingKey: one.rating_key }), back && one.scene_id ? h(PutBack, { what: { scene_ids: [one.scene_id] } }) : null)] }));
    return h("div", null, h(Problem, { problem, again: load }),
      rows.length ? h(Table, { label: t("history.writes"), heads: [t("head.at"), t("head.scene"), t("head.what"), t("head.more")], rows }) : h("p", null, t("history.none")),
      h(Pager, { total: data.total, offset, onChange: setOffset }));
  }

  function Runs({ page }) {
    const { t, clock, many } = useWords();
    const { values, change } = useAddress();
    const offset = Number(values.from) || 0;
    const { data, problem, load } = useAnswer("runs", { limit: PAGE, offset });
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const rows = data.items.flatMap((run) => {
      const open = values.run === String(run.id);
      const row = { key: run.id, cells: [h("time", { dateTime: run.began_at }, clock(run.began_at)), run.name, t(`run.${run.state}`), many(run.done), run.failed ? h("span", { className: "s2p-failed" }, many(run.failed)) : "0",
        h("span", { className: "s2p-actions" }, h(Button, { size: "sm", variant: "secondary", "aria-expanded": open, onClick: () => change({ run: open ? null : run.id }) }, open ? t("fold") : t("unfold_run")), run.done ? h(PutBack, { what: { run_id: run.id } }) : null)] };
      return open ? [row, { key: `${run.id}+`, unfolded: h(Writes, { page, of: { run_id: run.id }, back: true }) }] : [row];
    });
    return h("div", null, h(Problem, { problem, again: load }),
      rows.length ? h(Table, { label: t("history.runs"), heads: [t("head.at"), t("head.run"), t("state"), t("head.sent"), t("head.failed"), t("head.more")], rows }) : h("p", null, t("history.no_runs")),
      h(Pager, { total: data.total, offset, onChange: (from) => change({ from: from || null }) }));
  }

  // Ninety days in one line; each day can be reached by key and has its words.
  function Days({ days, server }) {
    const { t, share, intl } = useWords();
    const words = (day) => t("outage.day", { date: intl.formatDate(day.date, { dateStyle: "medium", timeZone: "UTC" }), up: day[server] === null ? t("outage.not_watched") : share(day[server]), n: day.outages });
    const kind = (up) => (up === null ? "unknown" : up >= 0.9999 ? "up" : up > 0.9 ? "partly" : "down");
    const [shown, setShown] = React.useState(null);
    const bad = days.filter((day) => day[server] !== null && day[server] < 0.9999);
    return h("div", null,
      h("div", { className: "s2p-days", role: "list", "aria-label": t("outage.days", { server }) }, days.map((day) => h("span", {
        key: day.date, role: "listitem", tabIndex: bad.includes(day) ? 0 : undefined, className: `s2p-day-${kind(day[server])}`, "aria-label": words(day), title: words(day), onFocus: () => setShown(day), onMouseEnter: () => setShown(day) }))),
      h("p", { className: "text-muted", "aria-hidden": true }, shown ? words(shown) : t("outage.bad_days", { n: bad.length })));
  }

  function Outages() {
    const { t, share, lasting, clock } = useWords();
    const { data, problem, load } = useAnswer("outages", { limit: 10 });
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const names = { plex: "Plex", stash: "Stash" };
    const rows = data.windows.map((one) => ({ key: `${one.server} ${one.days}`, cells: [names[one.server] || one.server, t("days", { n: one.days }), share(one.availability), String(one.outages), one.mttr_s === null ? "—" : lasting(one.mttr_s), one.mtbf_s === null ? "—" : lasting(one.mtbf_s)] }));
    const list = data.outages.map((one, index) => h("li", { key: index }, `${names[one.server]}: ${clock(one.started_at)}, ${lasting(one.seconds)}. ${one.cause}`));
    return h("div", null, h(Problem, { problem, again: load }), ["plex", "stash"].map((server) => h("div", { key: server }, h("h3", { className: "h6" }, names[server]), h(Days, { days: data.days, server: server }))),
      rows.length ? h(Table, { label: t("outages"), heads: [t("head.server"), t("head.span"), t("head.availability"), t("head.outages"), t("head.mttr"), t("head.mtbf")], rows }) : null,
      list.length ? h("ul", null, list) : h("p", null, t("outage.none")));
  }

  function History({ page }) {
    const { t } = useWords();
    const { values } = useAddress();
    const scene = Number(values.scene) || 0;
    return h("div", null,
      scene ? h(Card, { title: t("history.of_scene", { id: String(scene) }), extra: h(ReactRouterDOM.Link, { to: S2P.links.to("history") }, t("history.all")) },
        h(PutBack, { what: { scene_ids: [scene] } }), h(Writes, { page, of: { scene_id: scene } }))
        : h(Card, { title: t("history.runs") }, h("p", null, t("history.means")), h(Runs, { page })),
      scene ? null : h(Card, { title: t("history.writes") }, h(Writes, { page, of: {}, back: true })),
      scene ? null : h(Card, { title: t("outages") }, h(Outages)));
  }

  S2P.views = { ...S2P.views, History };
  S2P.kit.PutBack = PutBack;
});
