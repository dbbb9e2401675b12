// The frame of the page: the sentence on top, the bar, both servers in words, the way to each view.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Bar, Icon, Notice, Problem, TONES, Waiting, Words, h, useAddress, usePage, useWords } = S2P.kit;
  const { React } = api;
  const { ReactRouterDOM } = api.libraries;
  const { Link, NavLink } = ReactRouterDOM;

  // The button that belongs to the sentence.
  function TopAction({ line, page, view }) {
    const { t } = useWords();
    const after = () => S2P.pulse.now();
    const call = (mode, label, icon, variant = "primary") =>
      h(Act, { run: () => S2P.call(mode), label: t(label), icon, variant, after });
    const task = (name, label, icon, variant) =>
      h(Act, { run: () => S2P.runTask(name), label: t(label), icon, variant, says: () => t("task.queued"), after });
    const lead = (to, label, variant = "primary") => h(Link, { className: `btn btn-${variant}`, to }, t(label));
    switch (line.action) {
      case "set_up": return view === "now" && !page.set_up.done ? null : lead(S2P.links.to("now"), "set_up");
      case "sign_in": return lead(S2P.links.to("settings", { sign_in: 1 }), "sign_in_again");
      case "wake": return call("wake", "try_now", "faSyncAlt");
      case "resume": return call("resume", "resume", "faPlay");
      case "pause": return call("pause", "pause", "faPause", "secondary");
      case "trouble": return lead(S2P.links.to("trouble"), "see");
      case "not_in_plex": return lead(S2P.links.to("scenes", { state: "not_in_plex" }), "see", "secondary");
      case "waiting": return lead(S2P.links.to("scenes", { state: "waiting" }), "see", "secondary");
      case "process": return task("Process Queue", "process", "faPlay", "primary");
      case "sync_all": return task("Sync All Scenes", "sync_all", "faSyncAlt", "secondary");
      default: return null;
    }
  }

  function Top({ page, view }) {
    const words = useWords();
    const { t, many, ago, clock, lasting } = words;
    const line = S2P.topLine(page, null);
    const { values } = line;
    const shown = {
      ...values, since: clock(values.since), last: values.last ? ago(values.last) : t("never"),
      eta: values.eta ? t("top.eta", { left: lasting(values.eta) }) : "",
      rate: values.rate ? t("top.rate", { n: values.rate >= 1 ? many(Math.round(values.rate)) : words.intl.formatNumber(values.rate, { maximumFractionDigits: 1 }) }) : "",
    };
    const done = S2P.figures.progress(page);
    return h("div", { className: `card s2p-top s2p-${line.tone}` }, h("div", { className: "card-body" },
      h("div", { className: "s2p-row" },
        h("p", { className: "s2p-sentence", role: "status" }, h(Icon, { name: TONES[line.tone] }), " ", t(`top.${line.id}`, shown)),
        h(TopAction, { line, page, view })),
      done === null ? null : h("div", { className: "s2p-bar" },
        h(Bar, { share: done, label: t("progress") }),
        h("span", null, t("bar", { done: many(page.run.done), total: many(page.run.total) }))),
      h(Servers, { page })));
  }

  function Servers({ page }) {
    const { t, ago, clock, many } = useWords();
    const { plex, stash, worker } = page;
    const server = (name, one, label) => {
      const bad = one.refused || one.state !== "closed";
      return h("li", { key: name }, h(Icon, { name: bad ? "faTimesCircle" : one.asked_at ? "faCheckCircle" : "faQuestionCircle" }), " ",
        label, one.problem ? `: ${one.problem}` : !one.asked_at ? `: ${t("not_asked")}` : one.ms ? `, ${t("ms", { n: many(Math.round(one.ms)) })}` : "",
        one.asked_at ? h("span", { className: "text-muted" }, ` · ${t("asked", { ago: ago(one.asked_at) })}`) : null);
    };
    const named = `Plex ${plex.version ? plex.version.split("-")[0] : ""}`.trim() + (plex.name ? ` “${plex.name}”` : "");
    const what = worker.running ? t("worker.since", { at: clock(worker.since) })
      : worker.choice === "off" ? t("worker.off") : worker.outlook || t("worker.asleep");
    return h("ul", { className: "s2p-servers" },
      server("plex", plex, named), server("stash", stash, `Stash ${stash.version || ""}`.trim()),
      h("li", { key: "worker" }, h(Icon, { name: worker.running ? "faCog" : "faMoon" }), " ", what));
  }

  function Tabs({ troubles, current }) {
    const { t } = useWords();
    return h("nav", { className: "nav nav-tabs s2p-tabs", "aria-label": "Stash2Plex" }, S2P.links.VIEWS.map((view) =>
      h(NavLink, { key: view, className: "nav-link", exact: view === "now", to: S2P.links.to(view), isActive: () => current === view },
        t(`view.${view}`), view === "trouble" && troubles ? h("span", { className: "badge badge-danger s2p-badge" }, troubles) : null)));
  }

  // Ends a fault of ours at our edge: the rest of Stash goes on.
  class Edge extends React.Component {
    constructor(props) {
      super(props);
      this.state = { error: null };
    }

    static getDerivedStateFromError(error) {
      return { error };
    }

    render() {
      const { error } = this.state;
      if (!error) return this.props.children;
      return this.props.silent ? null : h(Problem, { problem: { what: "failure.page", do: "failure.page.do", ours: true, detail: String(error.message || error) } });
    }
  }

  function Body() {
    const words = useWords();
    const { t, ago } = words;
    const { page, problem, at } = usePage();
    const { view } = useAddress();
    const slow = useSlow(!page && !problem);
    React.useEffect(() => { document.title = `${t(`view.${S2P.links.VIEWS.includes(view) ? view : "now"}`)} · Stash2Plex`; }, [view, t]);
    const views = S2P.views;
    const View = { now: views.Now, trouble: views.Trouble, library: views.Library, history: views.History, settings: views.Settings, scenes: views.Scenes }[view] || views.Now;
    return h("main", { className: "s2p s2p-page", id: "stash2plex" },
      h("h1", { className: "sr-only" }, "Stash2Plex"),
      h(Problem, { problem, again: S2P.pulse.now }),
      problem && page ? h("p", { className: "text-muted" }, t("old_figures", { ago: ago(page.now) })) : null,
      problem && !page && problem.kind === "process" ? h("p", null, h("a", { href: `${S2P.base()}settings?tab=plugins` }, t("failure.where"))) : null,
      page ? h(Top, { page, view }) : problem ? null : h("div", null, h(Waiting), slow ? h(Notice, null, t("slow")) : null),
      page ? h(Tabs, { troubles: page.troubles, current: S2P.links.VIEWS.includes(view) ? view : view === "scenes" ? "" : "now" }) : null,
      page ? h(Edge, { key: view }, h(View, { page, at })) : null);
  }

  // Whether `waiting` has lasted for five seconds.
  function useSlow(waiting) {
    const [slow, setSlow] = React.useState(false);
    React.useEffect(() => {
      if (!waiting) return setSlow(false);
      const timer = setTimeout(() => setSlow(true), 5000);
      return () => clearTimeout(timer);
    }, [waiting]);
    return slow;
  }

  S2P.kit.Edge = Edge;
  S2P.Page = () => h(Words, null, h(Edge, null, h(Body)));
});
