// Library: the share in sync, each library of Plex, the comparison with its differences.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Bar, Card, Figures, Name, Notice, PAGE, Pager, PlexLink, Problem, SceneLink, Search, Table, Waiting, h, useAddress, useAnswer, useWords, useWork } = S2P.kit;
  const { Bootstrap, ReactRouterDOM } = api.libraries;

  function shown(value) {
    return h(Name, null, S2P.choices.shownValue(value).join(", "));
  }

  // A comparison writes nothing; its differences are listed by field, to be sent or left.
  function Compare() {
    const { t, many, clock } = useWords();
    const { values, change } = useAddress();
    const offset = Number(values.from) || 0;
    const args = { limit: PAGE, offset };
    if (values.field) args.field = values.field;
    const { data, problem, load, running } = useWork("compare", args);
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const { work } = data;
    const ids = [...new Set(data.items.map((item) => item.scene_id))];
    const rows = data.items.map((item) => ({ key: `${item.scene_id} ${item.field}`, cells: [
      h(SceneLink, { id: item.scene_id, title: item.title }), t(`field.${item.field}`), shown(item.stash), shown(item.plex), shown(item.written)] }));
    return h("div", null, h(Problem, { problem, again: load }),
      h("div", { className: "s2p-actions" },
        h(Act, { run: () => S2P.call("compare", { start: true }), label: t("compare.now"), icon: "faSearch", variant: "primary", disabled: running, says: () => t("compare.began"), after: load }),
        ids.length ? h(Act, { run: () => S2P.call("sync", { scene_ids: ids }), label: t("sync_shown", { n: ids.length }), says: (a) => t("queued_n", { n: a.changed }) }) : null,
        data.differing ? h(Act, { run: () => S2P.runTask("Reconcile Library (All)"), label: t("compare.send_all"), asks: t("compare.send_all.asks", { n: data.differing }), says: () => t("task.queued") }) : null),
      running ? h("div", null, h(Bar, { share: work.total ? work.done / work.total : 0, label: t("progress") }), h("p", { role: "status" }, t("count.so_far", { done: many(work.done), total: many(work.total || 0) }))) : null,
      work.problem ? h(Notice, { tone: "warning" }, work.problem) : null,
      work.state === "ended" ? h("p", null, t("compare.ended", { at: clock(work.ended_at), n: data.differing, same: many(data.in_sync), missing: many(data.missing) })) : work.state === "none" ? h("p", null, t("compare.none")) : null,
      Object.keys(data.fields).length ? h("ul", { className: "s2p-chips" }, Object.entries(data.fields).map(([field, n]) => h("li", { key: field },
        h(Bootstrap.Button, { size: "sm", variant: values.field === field ? "primary" : "secondary", "aria-pressed": values.field === field, onClick: () => change({ field: values.field === field ? null : field, from: null }) }, `${t(`field.${field}`)} ${many(n)}`)))) : null,
      rows.length ? h(Table, { label: t("compare.list"), heads: [t("head.scene"), t("head.field"), "Stash", "Plex", t("head.written")], rows }) : null,
      h(Pager, { total: data.total, offset, onChange: (from) => change({ from: from || null }) }));
  }

  function Unknown() {
    const { t, bytes } = useWords();
    const { values, change } = useAddress();
    const offset = Number(values.unknown) || 0;
    const args = { limit: PAGE, offset };
    if (values.section) args.section_id = values.section;
    if (values.search) args.search = values.search;
    const { data, problem, load } = useAnswer("unknown_files", args);
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const rows = data.items.map((item) => ({ key: `${item.rating_key} ${item.path}`, cells: [h(Name, null, item.path), item.library, bytes(item.size)] }));
    return h("div", null, h(Search, { value: values.search, label: t("search"), onChange: (search) => change({ search, unknown: null }, true) }),
      rows.length ? h(Table, { label: t("unknown"), heads: [t("candidates.file"), t("candidates.library"), t("candidates.size")], rows }) : h("p", null, t("unknown.none")),
      h(Pager, { total: data.total, offset, onChange: (from) => change({ unknown: from || null }) }));
  }

  function Library() {
    const { t, many, share, clock, ago } = useWords();
    const { values } = useAddress();
    const { data, problem, load } = useAnswer("library");
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const { Link } = ReactRouterDOM;
    const rows = data.libraries.map((one) => ({ key: one.id, cells: [
      h("div", null, h(Name, null, one.title), one.problem ? h("div", { className: "s2p-failed" }, one.problem) : null), many(one.items), many(one.with_scene),
      one.without_scene ? h(Link, { to: S2P.links.to("library", { section: one.id, show: "unknown" }) }, many(one.without_scene)) : many(0),
      one.compared_at ? ago(one.compared_at) : t("never")] }));
    const looks = data.looks.map((look) => h("li", { key: look.kind }, h("strong", null, t(`look.${look.kind}`)), ": ", look.at ? ago(look.at) : t("never"),
      look.words ? `, ${look.words}` : "", look.next_at ? ` · ${Date.parse(look.next_at) > Date.now() ? t("look.next", { at: clock(look.next_at) }) : t("look.due")}` : ""));
    return h("div", null, h(Problem, { problem, again: load }),
      h(Card, { title: data.share === null ? t("library.share_unknown") : t("library.share", { share: share(data.share) }) }, h(Figures, { scenes: data.scenes }), h("ul", null, looks)),
      h(Card, { title: t("library.list") }, rows.length ? h(Table, { label: t("library.list"), heads: [t("candidates.library"), t("head.items"), t("head.with"), t("head.without"), t("head.compared")], rows }) : h("p", null, t("library.none"))),
      h(Card, { title: t("compare.title") }, h("p", null, t("compare.means")), h(Compare)),
      values.show === "unknown" ? h(Card, { title: t("unknown") }, h("p", null, t("unknown.means")), h(Unknown)) : null);
  }

  S2P.views = { ...S2P.views, Library };
});
