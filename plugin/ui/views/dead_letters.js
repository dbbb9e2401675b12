// The scenes that were given up for one reason: search, select over pages, retry, forget, explain.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Icon, Name, Notice, PAGE, Pager, Problem, SceneLink, Search, Table, Waiting, h, useAnswer, useWords } = S2P.kit;
  const { React } = api;
  const { Bootstrap } = api.libraries;
  const { Button, Form } = Bootstrap;
  const { useState } = React;

  // The Plex items that fit a scene in columns; cells that differ from the scene's are marked.
  function Candidates({ id, onDone }) {
    const { t, bytes, lasting } = useWords();
    const { data, problem, load } = useAnswer("candidates", { scene_id: id });
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    if (!data.candidates.length) return h("p", null, t("candidates.none"));
    const rows = [
      ["file", data.path, (one) => one.path, (value) => h(Name, null, value)],
      ["library", null, (one) => one.library, (value) => value],
      ["title", data.title, (one) => one.title, (value) => h(Name, null, value)],
      ["year", data.year, (one) => one.year, (value) => (value ? String(value) : "")],
      ["size", data.size, (one) => one.size, (value) => (value ? bytes(value) : "")],
      ["length", data.duration_s, (one) => one.duration_s, (value) => (value ? lasting(value) : "")],
    ];
    const differs = (name, mine, other) => name !== "file" && mine !== null && other !== null &&
      (name === "length" ? Math.abs(mine - other) > 1 : mine !== other);
    return h("div", { className: "s2p-wide" }, h("table", { className: "table s2p-candidates", "aria-label": t("candidates") },
      h("thead", null, h("tr", null, h("td"), h("th", { scope: "col" }, t("candidates.scene")), data.candidates.map((one, index) =>
        h("th", { key: one.rating_key, scope: "col" }, one.poster && /^data:image\//.test(one.poster) ? h("img", { src: one.poster, alt: "" }) : null, t("candidates.n", { n: index + 1 }))))),
      h("tbody", null, rows.map(([name, mine, of, shown]) => h("tr", { key: name }, h("th", { scope: "row" }, t(`candidates.${name}`)), h("td", null, mine === null ? "" : shown(mine)),
        data.candidates.map((one) => h("td", { key: one.rating_key, className: differs(name, mine, of(one)) ? "s2p-differs" : "" }, shown(of(one)),
          differs(name, mine, of(one)) ? h("span", { className: "s2p-mark" }, h(Icon, { name: "faNotEqual" }), h("span", { className: "sr-only" }, t("differs"))) : null)))),
        h("tr", null, h("th", { scope: "row" }, t("candidates.choice")), h("td"), data.candidates.map((one, index) => h("td", { key: one.rating_key },
          one.chosen ? h("span", null, h(Icon, { name: "faCheckCircle" }), t("candidates.chosen"), " ", h(Act, { run: () => S2P.call("forget_choice", { scene_id: id }), label: t("candidates.forget"), size: "sm", after: load }))
            : h(Act, { run: () => S2P.call("choose_item", { scene_id: id, rating_key: one.rating_key }), label: t("candidates.this", { n: index + 1 }), size: "sm", variant: "primary", says: () => t("candidates.done"), after: onDone })))))));
  }

  function Explained({ item }) {
    const { t, clock } = useWords();
    return h("div", null, h("p", null, item.words, " ", item.fix), h("p", null, h("code", { className: "s2p-detail" }, item.error)),
      h("p", null, t("attempts", { n: item.attempts, first: clock(item.first_failed_at) })),
      item.history.length > 1 ? h("ul", null, item.history.map((one, index) => h("li", { key: index }, clock(one.at), " ", one.error))) : null);
  }

  function DeadLetters({ reason, onChange }) {
    const words = useWords();
    const { t, ago } = words;
    const [offset, setOffset] = useState(0);
    const [search, setSearch] = useState("");
    const [selected, setSelected] = useState([]);
    const [all, setAll] = useState(false);
    const [open, setOpen] = useState(null);
    const [gone, setGone] = useState([]);
    const asked = { limit: PAGE, offset, reason };
    if (search) asked.search = search;
    const { data, problem, load } = useAnswer("dead_letters", asked);
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const shown = data.items.map((item) => item.scene_id).filter((id) => !gone.includes(id));
    const count = all ? data.total : selected.length;
    const run = (mode) => () => (all ? S2P.call(`${mode}_reason`, { reason }) : S2P.call(mode, { scene_ids: selected }));
    // A row that is gone greys out and stays in its place until the next visit.
    const after = () => {
      setGone((old) => [...old, ...(all ? shown : selected)]);
      setSelected([]);
      setAll(false);
      onChange();
    };
    const toggle = (id) => { setAll(false); setSelected(S2P.choices.toggled(all ? shown : selected, id)); };
    const every = shown.length > 0 && (all || shown.every((id) => selected.includes(id)));
    const box = (label, checked, change, disabled, id = "all") => h(Form.Check, { type: "checkbox", id: `s2p-${reason}-${id}`, label: id === "all" ? label : h("span", { className: "sr-only" }, label), custom: true, checked, onChange: change, disabled });
    const rows = data.items.flatMap((item) => {
      const id = item.scene_id;
      const muted = gone.includes(id);
      const row = { key: id, muted, cells: [
        box(t("select_one", { title: item.title || String(id) }), !muted && (all || selected.includes(id)), () => toggle(id), muted, id),
        h("div", null, h(SceneLink, { id, title: item.title }), h("div", { className: "s2p-path" }, h(Name, null, item.path))), ago(item.last_failed_at),
        h(Button, { size: "sm", variant: "secondary", "aria-expanded": open === id, onClick: () => setOpen(open === id ? null : id) }, reason === "ambiguous" ? t("compare") : t("explain")),
      ] };
      return open === id ? [row, { key: `${id}+`, unfolded: reason === "ambiguous" ? h(Candidates, { id, onDone: () => { setGone((old) => [...old, id]); onChange(); } }) : h(Explained, { item }) }] : [row];
    });
    return h("div", null,
      h("div", { className: "s2p-actions" }, h(Search, { value: search, label: t("search"), onChange: (text) => { setSearch(text); setOffset(0); setAll(false); setSelected([]); } }),
        box(t("select_shown"), every, () => { setAll(false); setSelected(every ? selected.filter((id) => !shown.includes(id)) : [...new Set([...selected, ...shown])]); }),
        data.total > shown.length && every && !all && !search ? h(Button, { variant: "link", onClick: () => setAll(true) }, t("select_all", { n: data.total })) : null,
        h("span", { role: "status" }, count ? t("selected", { n: count }) : ""),
        h(Act, { run: run("retry"), label: t("retry"), icon: "faRedo", variant: "primary", disabled: !count, says: (a) => t("queued_n", { n: a.changed }), after }),
        h(Act, { run: run("discard"), label: t("discard"), icon: "faTrash", variant: "danger", disabled: !count, asks: t("discard.asks", { n: count }), says: (a) => t("discarded_n", { n: a.changed }), after })),
      h(Problem, { problem, again: load }),
      data.total ? h(Table, { label: t("dead_letters"), heads: [t("head.select"), t("head.scene"), t("head.since"), t("head.more")], rows }) : h("p", null, t("none_here")),
      h(Pager, { total: data.total, offset, onChange: setOffset }));
  }

  S2P.kit.Candidates = Candidates;
  S2P.kit.DeadLetters = DeadLetters;
});
