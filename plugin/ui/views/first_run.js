// The first run: four cards, each checked as it is done. Nothing is written to Plex before Start.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Bar, Card, Connect, Icon, Name, Notice, Problem, SceneLink, Waiting, h, useAnswer, useRested, useWords, useWork } = S2P.kit;
  const { React } = api;
  const { Bootstrap } = api.libraries;
  const { Button, Form } = Bootstrap;
  const { useEffect, useState } = React;
  const STEPS = ["plex", "library", "files", "start"];

  function Library({ onDone }) {
    const { t, many } = useWords();
    const { data, problem, load } = useAnswer("libraries");
    const [picked, setPicked] = useState(null);
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const usable = data.libraries.filter((one) => one.usable).map((one) => one.title);
    const chosen = picked || data.libraries.filter((one) => one.usable && one.chosen).map((one) => one.title);
    const names = chosen.length === usable.length ? null : S2P.choices.joinNames(chosen);
    return h("div", null,
      usable.length ? null : h(Notice, { tone: "warning", extra: h(Button, { size: "sm", variant: "secondary", onClick: load }, t("again")) }, t("library.no_usable")),
      h("fieldset", null, h("legend", { className: "h6" }, t("first.library.pick")), data.libraries.map((one) => h(Form.Check, {
        key: one.id, id: `s2p-library-${one.id}`, type: "checkbox", disabled: !one.usable, checked: chosen.includes(one.title), onChange: () => setPicked(S2P.choices.toggled(chosen, one.title)),
        label: h("span", null, h(Name, null, one.title), " ", h("span", { className: "text-muted" }, t("library.kind", { kind: one.type }), one.items !== null ? ` · ${t("items", { n: one.items })}` : "", one.why ? ` · ${one.why}` : "")),
      }))),
      h(Act, { run: async () => checked(await S2P.call("save_settings", { values: { plex_library: names } })), label: t("next"), variant: "primary", disabled: !chosen.length, after: onDone }));
  }

  // Return an answer of save_settings; what was not saved is a problem.
  function checked(answer) {
    const [first] = answer.problems || [];
    return first ? { problem: { what: first.what, do: "" } } : answer;
  }

  function Paths({ data }) {
    const { t, many, share, clock } = useWords();
    const counts = { n: many(data.matched), total: many(data.total), scenes: many(data.scenes), share: share(data.total ? data.matched / data.total : 0) };
    return h("div", null,
      h("p", null, h("strong", null, t("first.files.found", counts)), data.as_of ? ` (${clock(data.as_of)})` : "", data.total < data.scenes ? ` ${t("first.files.sampled", counts)}` : ""),
      h("p", null, data.words),
      data.examples.map((one) => {
        const parts = S2P.spans.apart(one.stash, one.plex);
        return h("dl", { key: one.scene_id, className: "s2p-paths" }, [["Stash", parts[0]], ["Plex", parts[1]]].map(([name, [differs, same]]) => [
          h("dt", { key: `${name}t` }, name), h("dd", { key: name }, h("mark", null, differs), same)]));
      }),
      data.missing_total ? h("details", { className: "s2p-fold" }, h("summary", null, t("first.files.missing", { n: data.missing_total })),
        h("p", null, t("first.files.missing.means"), data.total < data.scenes ? ` ${t("first.files.missing.sampled", { n: data.total })}` : ""),
        h("ul", null, data.missing.map((one) => h("li", { key: one.folder }, h(Name, null, one.folder), `: ${many(one.scenes)}`)))) : null);
  }

  function Files({ onDone }) {
    const { t } = useWords();
    const [typed, setTyped] = useState(null);
    const trial = useRested(typed, 800);
    const { data, problem, loading, load } = useAnswer("paths", trial === null ? {} : { path_map: trial });
    // Files that cannot be looked at now do not end the first run: they are watched for later.
    if (!data) {
      return problem ? h("div", null, h(Problem, { problem, again: load }), h(Button, { variant: "primary", onClick: onDone }, t("next"))) : h(Waiting);
    }
    const save = async () => (typed === null ? {} : checked(await S2P.call("save_settings", { values: { path_map: typed.trim() || null } })));
    return h("div", { "aria-busy": loading }, h(Problem, { problem, again: load }),
      data.problem ? h(Notice, { tone: "warning" }, data.problem) : null, h(Paths, { data }),
      h("details", { className: "s2p-fold" }, h("summary", null, t("first.files.type")),
        h(Form.Group, { controlId: "s2p-path-map" }, h(Form.Label, null, t("first.files.rule")),
          h(Form.Control, { className: "text-input", value: typed === null ? data.rules.map((rule) => `${rule.stash}=>${rule.plex}`).join("; ") : typed, onChange: (event) => setTyped(event.target.value), "aria-describedby": "s2p-path-help" }),
          h(Form.Text, { id: "s2p-path-help", className: "text-muted" }, t("first.files.rule.help")))),
      h("div", { className: "s2p-actions" }, h(Act, { run: save, label: t("next"), variant: "primary", after: onDone }),
        h(Button, { variant: "secondary", onClick: load, disabled: loading }, t("look_again"))));
  }

  // One field before and after; a list shows what is added and what goes.
  function Difference({ one }) {
    const { t } = useWords();
    const said = (value) => S2P.choices.shownValue(value).join(", ");
    return h("li", null, h("strong", null, t(`field.${one.field}`)), ": ",
      one.added.length || one.removed.length
        ? h("span", null, one.added.map((name) => h("ins", { key: `+${name}` }, `+${name} `)), one.removed.map((name) => h("del", { key: `-${name}` }, `−${name} `)))
        : h("span", null, h(Name, { fallback: t("nothing") }, said(one.held)), " ", h(Icon, { name: "faArrowRight" }), h("span", { className: "sr-only" }, t("becomes")), " ", h(Name, { fallback: t("nothing") }, said(one.becomes))));
  }

  function Some({ data }) {
    const { t } = useWords();
    return h("ul", { className: "s2p-preview" }, data.scenes.map((scene) => h("li", { key: scene.scene_id },
      scene.cover ? h("img", { src: S2P.base() + scene.cover.replace(/^\//, ""), alt: "", loading: "lazy" }) : null,
      h("div", null, h(SceneLink, { id: scene.scene_id, title: scene.title }), h("ul", null,
        scene.fields.map((one) => h(Difference, { key: one.field, one })),
        scene.pictures.map((one) => h("li", { key: one }, t("picture.new", { what: t(`field.${one}`) }))))))),
      data.problems.map((one) => h("li", { key: `p${one.scene_id}` }, h("div", null, h(SceneLink, { id: one.scene_id, title: one.title }), ` ${one.error}`))));
  }

  // All scenes as bars: what changes, what stays, what is skipped and why.
  function Counts({ data }) {
    const { t, many, reason } = useWords();
    const rows = [["changing", data.changing, t("count.changing")], ["unchanged", data.unchanged, t("count.unchanged")],
      ...Object.entries(data.not_matched).map(([code, n]) => [code, n, t("count.not_matched", { reason: reason(code) })]),
      ...Object.entries(data.left_out).map(([code, n]) => [code, n, t("count.left_out", { reason: reason(code, true) })])];
    const most = Math.max(1, ...rows.map(([, n]) => n));
    return h("table", { className: "s2p-bars", "aria-label": t("count.all") }, h("tbody", null, rows.map(([key, n, words]) => h("tr", { key }, h("th", { scope: "row" }, words), h("td", null, many(n)),
      h("td", { className: "s2p-meter", "aria-hidden": true }, n ? h("div", { className: `s2p-count-${key}`, style: { width: `${(n / most) * 100}%` } }) : null)))));
  }

  function Start({ onDone }) {
    const { t, many } = useWords();
    const some = useAnswer("preview_some", { limit: 10 });
    const all = useWork("count_changes", { start: true });
    const work = all.data && all.data.work;
    return h("div", null,
      h("h3", { className: "h6" }, t("first.start.some")), h(Problem, { problem: some.problem, again: some.load }), some.data ? h(Some, { data: some.data }) : some.problem ? null : h(Waiting),
      h("h3", { className: "h6" }, t("count.all")), h(Problem, { problem: all.problem, again: all.load }),
      all.data ? h("div", null,
        all.running ? h(Bar, { share: work.total ? work.done / work.total : 0, label: t("progress") }) : null,
        all.running ? h("p", { role: "status" }, t("count.so_far", { done: many(work.done), total: many(work.total || 0) })) : null,
        work.problem ? h(Notice, { tone: "warning" }, work.problem) : null, h(Counts, { data: all.data })) : null,
      h("p", null, t("first.start.way_back")),
      h(Act, { run: () => S2P.call("start"), label: t("start"), icon: "faPlay", variant: "primary", says: () => t("task.queued"), after: onDone }));
  }

  const CARDS = { plex: Connect, library: Library, files: Files, start: Start };

  function FirstRun({ page }) {
    const { t } = useWords();
    const [opened, setOpened] = useState(null);
    const [passed, setPassed] = useState([]);
    const [first] = useState(Math.max(0, STEPS.indexOf(page.set_up.step || "start")));
    // The first card that was neither done when the page was opened nor passed on it.
    const due = STEPS.find((step, index) => index >= first && !passed.includes(step)) || "start";
    const now = opened || due;
    useEffect(() => { if (!page.set_up.held) S2P.call("hold").then(() => S2P.pulse.now()); }, []);
    const finished = (step) => () => {
      setPassed((old) => [...old, step]);
      setOpened(null);
      // Whoever leaves here goes on here.
      const next = STEPS.indexOf(step) + 1;
      const isNew = next < STEPS.length && next > STEPS.indexOf(page.set_up.step || "plex");
      (isNew ? S2P.call("hold", { step: STEPS[next] }) : Promise.resolve()).then(() => S2P.pulse.now());
    };
    return h("div", { id: "set-up" }, h("p", null, t("first.promise")), STEPS.map((step, index) => {
      const done = index < STEPS.indexOf(due) || passed.includes(step);
      const title = h("span", null, done ? h(Icon, { name: "faCheckCircle" }) : h("span", { className: "s2p-number" }, index + 1), " ", t(`first.${step}`), done ? h("span", { className: "sr-only" }, t("done")) : null);
      const extra = done && step !== now ? h(Button, { size: "sm", variant: "secondary", onClick: () => setOpened(step), "aria-label": t("change_what", { what: t(`first.${step}`) }) }, t("change")) : null;
      return h(Card, { key: step, title, extra, tone: step === now ? "open" : done ? "" : "later" },
        step === now ? h("div", null, h("p", null, t(`first.${step}.means`)), h(CARDS[step], { onDone: finished(step) })) : null);
    }));
  }

  S2P.views = { ...S2P.views, FirstRun };
  S2P.kit.Difference = Difference;
  S2P.kit.Paths = Paths;
  S2P.kit.saved = checked;
});
