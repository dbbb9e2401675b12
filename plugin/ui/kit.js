// What every view draws with: texts, icons, buttons that show their answer, notices, pages.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { React } = api;
  const { Bootstrap, FontAwesomeSolid: icons, Intl, ReactRouterDOM } = api.libraries;
  const { Alert, Button, Modal, Spinner } = Bootstrap;
  const { useCallback, useEffect, useRef, useState } = React;
  const h = React.createElement;

  // -- texts ----------------------------------------------------------------------------------

  // Put our texts around a part of Stash's page, in the language of Stash; English fills gaps.
  function Words({ children }) {
    const { locale, timeZone } = Intl.useIntl();
    const own = S2P.texts[locale] || S2P.texts[locale.split("-")[0]] || {};
    const messages = React.useMemo(() => ({ ...S2P.texts.en, ...own }), [own]);
    return h(Intl.IntlProvider, { locale, timeZone, messages, onError: () => undefined }, children);
  }

  // Return the words of the page: `t(id, values)` and the formats of the user's language.
  function useWords() {
    const intl = Intl.useIntl();
    return React.useMemo(() => {
      const t = (id, values) => intl.formatMessage({ id }, values);
      const many = (n) => intl.formatNumber(n);
      const lasting = (seconds) => {
        const { unit, value } = S2P.spans.span(seconds);
        return intl.formatNumber(value, { style: "unit", unit, unitDisplay: "long" });
      };
      const ago = (time) => {
        const seconds = S2P.spans.age(time, Date.now());
        if (seconds === null) return t("never");
        if (seconds < 5) return t("just_now");
        const { unit, value } = S2P.spans.span(seconds);
        return intl.formatRelativeTime(-value, unit);
      };
      const sameDay = (time) => new Date(time).toDateString() === new Date().toDateString();
      const clock = (time) => (!time ? t("unknown_time") : sameDay(time)
        ? intl.formatTime(time, { hour: "2-digit", minute: "2-digit" })
        : intl.formatDate(time, { dateStyle: "medium", timeStyle: "short" }));
      const list = (names) => intl.formatList(names, { type: "unit" });
      const share = (value) => intl.formatNumber(value, { style: "percent", maximumFractionDigits: 1 });
      // A reason of the plugin's in words; one from a newer version shows its code.
      const reason = (code, leftOut) => {
        const id = leftOut ? `left_out.${code}` : `reason.${code}`;
        return !code ? "" : intl.messages[id] ? t(id) : code.replace(/_/g, " ");
      };
      const problem = (one) => (one.ours ? { what: t(one.what, one), do: t(one.do, one) } : one);
      const bytes = (size) => (size === null ? "" : intl.formatNumber(size / 1e6, {
        style: "unit", unit: "megabyte", maximumFractionDigits: 1 }));
      return { t, many, lasting, ago, clock, list, share, reason, problem, bytes, intl };
    }, [intl]);
  }

  // -- small parts ----------------------------------------------------------------------------

  function Icon({ name, className = "" }) {
    return h(api.components.Icon, { icon: icons[name], className, "aria-hidden": true, fixedWidth: true });
  }

  const TONES = {
    success: "faCheckCircle", info: "faInfoCircle", warning: "faExclamationTriangle",
    danger: "faTimesCircle",
  };

  // A sentence with its cure, marked by an icon as well as by a colour. Screen readers hear it.
  function Notice({ tone = "info", children, extra }) {
    return h(Alert, { variant: tone, className: "s2p-notice", role: tone === "danger" ? "alert" : "status" },
      h(Icon, { name: TONES[tone] }), h("div", { className: "s2p-grow" }, children), extra);
  }

  function Problem({ problem, again }) {
    const words = useWords();
    if (!problem) return null;
    const { what, do: cure } = words.problem(problem);
    return h(Notice, { tone: "danger", extra: again && h(Button, { size: "sm", variant: "secondary", onClick: again }, words.t("again")) },
      h("strong", null, what), " ", cure, problem.detail ? h("code", { className: "s2p-detail" }, problem.detail) : null);
  }

  function Waiting() {
    const { t } = useWords();
    return h("p", { className: "s2p-waiting", role: "status" }, h(Spinner, { animation: "border", size: "sm", "aria-hidden": true }), " ", t("loading"));
  }

  // A title or a path: any length, any direction of writing, shown whole.
  function Name({ children, fallback }) {
    return h("bdi", { className: "s2p-name" }, children || fallback || "—");
  }

  function SceneLink({ id, title }) {
    const { t } = useWords();
    return h(ReactRouterDOM.Link, { to: `/scenes/${id}` }, h(Name, null, title || t("scene_n", { id: String(id) })));
  }

  function PlexLink({ web, ratingKey, full }) {
    const { t } = useWords();
    const address = S2P.links.outside(full || (web && ratingKey ? web + ratingKey : ""));
    return address
      ? h("a", { className: "s2p-plex", href: address, target: "_blank", rel: "noreferrer" }, "Plex", h(Icon, { name: "faExternalLinkAlt", className: "s2p-small" }), h("span", { className: "sr-only" }, t("new_window")))
      : null;
  }

  function Card({ title, children, extra, tone }) {
    return h("section", { className: `card s2p-card${tone ? ` s2p-${tone}` : ""}` },
      h("div", { className: "card-body" },
        title ? h("div", { className: "s2p-row" }, h("h2", { className: "h5 s2p-grow" }, title), extra) : null, children));
  }

  // -- asking ---------------------------------------------------------------------------------

  // Ask an operation now and when `args` change; what was shown stays until the next answer.
  function useAnswer(mode, args = {}, wanted = true) {
    const [state, setState] = useState({ data: null, problem: null, loading: wanted });
    const asked = useRef(0);
    const text = JSON.stringify(args);
    const load = useCallback(async () => {
      const number = (asked.current += 1);
      setState((old) => ({ ...old, loading: true }));
      const answer = await S2P.call(mode, JSON.parse(text));
      if (number !== asked.current) return;
      setState((old) => answer.problem
        ? { ...old, problem: answer.problem, loading: false }
        : { data: answer, problem: null, loading: false });
    }, [mode, text]);
    useEffect(() => {
      if (wanted) load();
      return () => { asked.current += 1; };
    }, [load, wanted]);
    return { ...state, load };
  }

  // Follow work in the background: ask again every two seconds while it runs.
  function useWork(mode, args = {}, wanted = true) {
    const answer = useAnswer(mode, args, wanted);
    const running = Boolean(answer.data && answer.data.work.state === "running");
    useEffect(() => {
      if (!running || answer.loading) return undefined;
      const timer = setTimeout(answer.load, document.hidden ? 15000 : 2000);
      return () => clearTimeout(timer);
    }, [running, answer.loading, answer.load]);
    return { ...answer, running };
  }

  function usePage() {
    const [, redraw] = useState(0);
    useEffect(() => S2P.pulse.watch(() => redraw((n) => n + 1), "page"), []);
    return S2P.pulse.state;
  }

  // A value that follows `value` once it has rested for `milliseconds`.
  function useRested(value, milliseconds = 400) {
    const [rested, setRested] = useState(value);
    useEffect(() => {
      const timer = setTimeout(() => setRested(value), milliseconds);
      return () => clearTimeout(timer);
    }, [value, milliseconds]);
    return rested;
  }

  // The values of the address, and a function that changes some of them.
  function useAddress() {
    const history = ReactRouterDOM.useHistory();
    const place = ReactRouterDOM.useLocation();
    const { view, values } = S2P.links.read(place.pathname, place.search);
    const change = (more, replace) =>
      history[replace ? "replace" : "push"](S2P.links.to(view, { ...values, ...more }));
    return { view, values, change };
  }

  // -- buttons --------------------------------------------------------------------------------

  // A button that locks itself while `run` works and shows the answer beside it. `run` returns an
  // answer that may hold a problem; `says` turns it into words. `asks` is a question put first.
  function Act({ run, label, says, asks, icon, variant = "secondary", size, disabled, after }) {
    const words = useWords();
    const [state, setState] = useState({});
    const [asking, setAsking] = useState(false);
    const alive = useRef(true);
    useEffect(() => () => { alive.current = false; }, []);
    const go = async () => {
      setAsking(false);
      setState({ busy: true });
      const answer = (await run()) || {};
      if (alive.current) setState(answer.problem ? { problem: answer.problem } : { said: says ? says(answer) : words.t("done") });
      if (!answer.problem && after) after(answer);
    };
    const failed = state.problem && words.problem(state.problem);
    return h("span", { className: "s2p-act" },
      h(Button, { variant, size, disabled: disabled || state.busy, "aria-busy": Boolean(state.busy), onClick: asks ? () => setAsking(true) : go },
        state.busy ? h(Spinner, { animation: "border", size: "sm", "aria-hidden": true }) : icon && h(Icon, { name: icon }),
        " ", label),
      h("span", { role: "status", className: "s2p-said" },
        state.said || null, failed ? h("span", { className: "s2p-failed" }, h(Icon, { name: "faTimesCircle" }), failed.what, " ", failed.do) : null),
      asks ? h(Modal, { show: asking, onHide: () => setAsking(false), className: "s2p", "aria-labelledby": "s2p-question" },
        h(Modal.Header, null, h(Modal.Title, { id: "s2p-question", as: "h2", className: "h5" }, label)),
        h(Modal.Body, null, asks),
        h(Modal.Footer, null,
          h(Button, { variant: "secondary", autoFocus: true, onClick: () => setAsking(false) }, words.t("cancel")),
          h(Button, { variant: variant === "secondary" ? "primary" : variant, onClick: go }, label))) : null);
  }

  // -- lists ----------------------------------------------------------------------------------

  // A bar that screen readers can name; `share` from 0 to 1.
  function Bar({ share, label }) {
    const now = Math.round(share * 100);
    return h("div", { className: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": now },
      h("div", { className: "progress-bar", style: { width: `${now}%` } }));
  }

  const PAGE = 25;

  // The way through a long list; nothing is drawn for a list of one page.
  function Pager({ total, offset, onChange }) {
    const { t, many } = useWords();
    if (total <= PAGE) return null;
    const step = (by) => () => onChange(Math.min(Math.max(0, offset + by), total - 1));
    return h("nav", { className: "s2p-pager", "aria-label": t("pages") },
      h(Button, { variant: "secondary", size: "sm", disabled: offset === 0, onClick: step(-PAGE) }, h(Icon, { name: "faChevronLeft" }), " ", t("back")),
      h("span", { role: "status" }, t("page_of", { from: many(offset + 1), to: many(Math.min(offset + PAGE, total)), total: many(total) })),
      h(Button, { variant: "secondary", size: "sm", disabled: offset + PAGE >= total, onClick: step(PAGE) }, t("more"), " ", h(Icon, { name: "faChevronRight" })));
  }

  function Search({ value, onChange, label }) {
    const [text, setText] = useState(value || "");
    const rested = useRested(text);
    useEffect(() => { if (rested !== (value || "")) onChange(rested); }, [rested]);
    return h(Bootstrap.Form.Control, { type: "search", className: "text-input s2p-search", placeholder: label, "aria-label": label, value: text, onChange: (event) => setText(event.target.value) });
  }

  // A table that a narrow window shows as cards: each cell knows its heading. A row is its cells, or
  // what is `unfolded` below the row before it.
  function Table({ heads, rows, label }) {
    return h("div", { className: "s2p-table" }, h("table", { className: "table table-striped", "aria-label": label },
      h("thead", null, h("tr", null, heads.map((head, index) => h("th", { key: index, scope: "col" }, head || h("span", { className: "sr-only" }, label))))),
      h("tbody", null, rows.map(({ key, cells, muted, unfolded }) => h("tr", { key, className: muted ? "s2p-gone" : "" }, unfolded
        ? h("td", { colSpan: heads.length, className: "s2p-unfolded" }, unfolded)
        : cells.map((cell, index) => h("td", { key: index, "data-head": typeof heads[index] === "string" ? heads[index] : "" }, cell)))))));
  }

  S2P.kit = {
    PAGE, Act, Bar, Card, Icon, Name, Notice, Pager, PlexLink, Problem, SceneLink, Search, Table, TONES, Waiting,
    Words, h, useAddress, useAnswer, usePage, useRested, useWords, useWork,
  };
});
