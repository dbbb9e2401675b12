// Trouble: a card for each thing that needs the user, worst first, with the button that cures it.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Card, DeadLetters, Icon, Name, Notice, Problem, Waiting, h, useAddress, useAnswer, useWords } = S2P.kit;
  const { React } = api;
  const { Bootstrap, ReactRouterDOM } = api.libraries;
  const { Link } = ReactRouterDOM;
  const ICONS = { server: "faPlug", worker: "faCog", setting: "faSlidersH", library: "faFolderOpen", endpoint: "faImage", field: "faTag", scenes: "faFilm" };

  function Cure({ card, after }) {
    const { t } = useWords();
    const act = (mode, label, args) => h(Act, { run: () => S2P.call(mode, args), label: t(label), variant: "primary", after });
    switch (card.action) {
      case "try_now": return act("wake", "try_now");
      case "sign_in": return h(Link, { className: "btn btn-primary", to: S2P.links.to("settings", { sign_in: 1 }) }, t("sign_in_again"));
      case "settings": return h(Link, { className: "btn btn-primary", to: S2P.links.to("settings", { key: card.setting }) }, t("to_setting"));
      case "retry": return h(Act, { run: () => S2P.call("retry_reason", { reason: card.name }), label: t("retry_all", { n: card.number }), says: (a) => t("queued_n", { n: a.changed }), variant: "primary", after });
      case "health": return h(Act, { run: () => S2P.runTask("Health Check"), label: t("check_now"), says: () => t("task.queued") });
      default: return null;
    }
  }

  function TroubleCard({ card, after }) {
    const { t, clock } = useWords();
    const { values, change } = useAddress();
    const listed = card.kind === "scenes" && card.name !== "not_in_plex";
    const open = listed && values.reason === card.name;
    return h(Card, { title: h("span", null, h(Icon, { name: ICONS[card.kind] || "faExclamationTriangle" }), " ", card.what) },
      h("p", null, card.do), h("p", { className: "text-muted" }, card.number ? t("scenes_n", { n: card.number }) : "", card.since ? ` · ${t("since", { at: clock(card.since) })}` : ""),
      h("div", { className: "s2p-actions" }, h(Cure, { card, after }),
        listed ? h(Bootstrap.Button, { variant: "secondary", "aria-expanded": open, onClick: () => change({ reason: open ? null : card.name }) }, open ? t("fold") : t("unfold", { n: card.number || 0 })) : null,
        card.name === "not_in_plex" ? h(Link, { className: "btn btn-secondary", to: S2P.links.to("scenes", { state: "not_in_plex" }) }, t("unfold", { n: card.number || 0 })) : null),
      open ? h(DeadLetters, { reason: card.name, onChange: after }) : null);
  }

  // What Health Check finds, asked only when the user wants it: it asks both servers.
  function Health({ at }) {
    const { t, ago } = useWords();
    const [wanted, setWanted] = React.useState(false);
    const { data, problem, loading, load } = useAnswer("health", {}, wanted);
    const good = { passed: "faCheckCircle", failed: "faTimesCircle", skipped: "faMinusCircle" };
    return h(Card, { title: t("health"), extra: h(Bootstrap.Button, { size: "sm", variant: "secondary", disabled: loading, onClick: () => (wanted ? load() : setWanted(true)) }, t("check_now")) },
      h("p", { className: "text-muted" }, at ? t("health.at", { ago: ago(at) }) : t("health.never")), h(Problem, { problem }), loading ? h(Waiting) : null,
      data ? h("ul", { className: "s2p-checks" }, data.checks.map((one) => h("li", { key: one.name, className: one.state === "failed" ? "s2p-failed" : "" }, h(Icon, { name: good[one.state] }),
        h("span", { className: "sr-only" }, t(`health.${one.state}`)), " ", h("strong", null, one.name), `: ${one.detail} `, one.state === "failed" ? one.fix : ""))) : null);
  }

  // What version 1 left is queued when the user wants it; until then it is offered here.
  function Legacy({ legacy, after }) {
    const { t } = useWords();
    return h(Card, { title: h("span", null, h(Icon, { name: "faArchive" }), " ", t("legacy.title")) },
      h("p", null, t("legacy.means", { n: legacy.jobs })), h("p", { className: "text-muted" }, h(Name, null, legacy.folder)),
      h("div", { className: "s2p-actions" }, h(Act, { run: () => S2P.call("import_legacy"), label: t("legacy.take"), variant: "primary",
        says: (a) => [t("legacy.taken", { n: a.queued }), ...a.damaged].join(" "), after })));
  }

  // A report to post, with every name hidden. Where the browser lets us, it is copied; it is always
  // shown, so that the user sees what will be posted.
  function Report() {
    const { t } = useWords();
    const [text, setText] = React.useState(null);
    const box = React.useRef(null);
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(text);
      } catch (error) {
        // Only a page with a certificate may do that; the old way needs the text selected.
        box.current.select();
        if (!document.execCommand("copy")) return { problem: { what: "report.not_copied", do: "report.not_copied.do", ours: true } };
      }
      return {};
    };
    return h(Card, { title: t("report") }, h("p", null, t("report.means")),
      h("div", { className: "s2p-actions" },
        h(Act, { run: () => S2P.call("report"), label: t(text === null ? "report.make" : "report.again"), icon: "faClipboardList", after: (a) => setText(a.report.join("\n")) }),
        text === null ? null : h(Act, { run: copy, label: t("report.copy"), icon: "faCopy", variant: "primary", says: () => t("report.copied") }),
        text === null ? null : h("a", { className: "btn btn-secondary", download: "stash2plex-report.txt", href: `data:text/plain;charset=utf-8,${encodeURIComponent(text)}` }, h(Icon, { name: "faDownload" }), " ", t("report.download"))),
      text === null ? null : h(Bootstrap.Form.Control, { as: "textarea", className: "text-input s2p-report", readOnly: true, rows: 12, ref: box, value: text, "aria-label": t("report") }));
  }

  function Trouble() {
    const { t } = useWords();
    const { values } = useAddress();
    const { data, problem, load } = useAnswer("trouble");
    const [kept, setKept] = React.useState([]);
    // A card that is gone stays, grey, until the next visit: nothing moves under the finger.
    React.useEffect(() => { if (data) setKept((old) => merged(old, data.cards)); }, [data]);
    const after = () => { load(); S2P.pulse.now(); };
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const key = (card) => `${card.kind} ${card.name}`;
    const here = data.cards.map(key);
    const cards = kept.length ? kept : data.cards;
    return h("div", null, h(Problem, { problem, again: load }),
      here.length ? null : h(Notice, { tone: "success" }, t("trouble.none")),
      cards.map((card) => h("div", { key: key(card), className: here.includes(key(card)) ? "" : "s2p-gone" }, h(TroubleCard, { card, after }))),
      values.reason && !cards.some((card) => card.name === values.reason) ? h(Card, { title: t("dead_letters") }, h(DeadLetters, { reason: values.reason, onChange: after })) : null,
      data.legacy ? h(Legacy, { legacy: data.legacy, after }) : null,
      h(Health, { at: data.health_at }), h(Report));
  }

  // Keep the order of the cards that are shown; new ones come last, figures are the new ones.
  function merged(old, cards) {
    const same = (one) => (other) => other.kind === one.kind && other.name === one.name;
    return [...old.map((one) => cards.find(same(one)) || one), ...cards.filter((one) => !old.some(same(one)))];
  }

  S2P.views = { ...S2P.views, Trouble };
});
