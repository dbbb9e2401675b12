// Settings by group, with help and defaults; only what differs is saved, after it was checked.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Card, Connect, Icon, Notice, Problem, Waiting, h, saved, useAddress, useAnswer, useRested, useWords } = S2P.kit;
  const { React } = api;
  const { Bootstrap } = api.libraries;
  const { Button, Form } = Bootstrap;
  const { useEffect, useState } = React;

  // Names picked from a list that an operation fills. Without Stash's picker it is a text field.
  function Names({ setting, value, onChange, describedBy }) {
    const { t, many } = useWords();
    const [search, setSearch] = useState("");
    const asked = useRested(search);
    const mode = setting.type === "tags" ? "tags" : setting.type === "libraries" ? "libraries" : null;
    const [opened, setOpened] = useState(false);
    const { data, problem } = useAnswer(mode || "tags", mode === "tags" ? { search: asked, limit: 30 } : {}, Boolean(mode) && opened);
    const names = S2P.choices.splitNames(value || "");
    const select = api.libraries.ReactSelect;
    const found = !mode ? (setting.choices || S2P.figures.FIELDS).map((name) => ({ value: name, label: setting.type === "fields" ? t(`field.${name}`) : name }))
      : !data ? [] : mode === "tags" ? data.tags.map((tag) => ({ value: tag.name, label: tag.name, n: tag.scenes }))
        : data.libraries.filter((one) => one.usable).map((one) => ({ value: one.title, label: one.title, n: one.items }));
    if (!select) return h(Form.Control, { id: `s2p-${setting.key}`, className: "text-input", value: value || "", "aria-describedby": describedBy, onChange: (event) => onChange(event.target.value) });
    return h("div", null, h(select.default, {
      inputId: `s2p-${setting.key}`, isMulti: true, className: "react-select", classNamePrefix: "react-select", closeMenuOnSelect: false, "aria-label": setting.label, placeholder: setting.default_words,
      value: names.map((name) => ({ value: name, label: setting.type === "fields" ? t(`field.${name}`) : name })), options: found, onMenuOpen: () => setOpened(true),
      inputValue: search, onInputChange: (text, { action }) => { if (action === "input-change" || action === "set-value" || action === "menu-close") setSearch(action === "input-change" ? text : ""); },
      filterOption: mode === "tags" ? () => true : undefined, isLoading: Boolean(mode) && opened && !data && !problem,
      noOptionsMessage: () => t("none_here"), loadingMessage: () => t("loading"),
      formatOptionLabel: (option, { context }) => (context === "menu" && typeof option.n === "number" ? `${option.label} (${many(option.n)})` : option.label),
      onChange: (picked) => onChange(S2P.choices.joinNames((picked || []).map((one) => one.value))) }), h(Problem, { problem }));
  }

  function Input({ setting, value, onChange, describedBy, invalid }) {
    const { t } = useWords();
    const id = `s2p-${setting.key}`;
    const common = { id, className: setting.type === "choice" ? "input-control" : "text-input", "aria-describedby": describedBy, isInvalid: invalid };
    const shown = value === null || value === undefined ? "" : String(value);
    switch (setting.type) {
      case "boolean":
        return h(Form.Check, { id, type: "switch", checked: Boolean(value), "aria-describedby": describedBy, onChange: (event) => onChange(event.target.checked), label: h("span", { className: "sr-only" }, setting.label) });
      case "number":
        return h(Form.Control, { ...common, inputMode: "decimal", value: shown, placeholder: setting.default_words, onChange: (event) => { const text = event.target.value.trim().replace(",", "."); onChange(text !== "" && Number.isFinite(Number(text)) ? Number(text) : text); } });
      case "choice":
        return h(Form.Control, { ...common, as: "select", custom: true, value: shown, onChange: (event) => onChange(event.target.value) },
          h("option", { value: "" }, t("settings.default", { value: setting.default_words })), (setting.choices || []).map((one) => h("option", { key: one, value: one }, one)));
      case "secret":
        return h(Form.Control, { ...common, type: "password", autoComplete: "new-password", value: shown, placeholder: setting.is_set ? t("settings.secret_set") : "", onChange: (event) => onChange(event.target.value) });
      case "tags": case "libraries": case "fields": case "names":
        return h(Names, { setting, value: shown, onChange, describedBy });
      default:
        return h(Form.Control, { ...common, type: "text", value: shown, placeholder: setting.default_words, onChange: (event) => onChange(event.target.value) });
    }
  }

  function Row({ setting, value, onChange, refusal, pointed }) {
    const { t } = useWords();
    const help = `s2p-${setting.key}-help`;
    const mark = React.useRef(null);
    useEffect(() => { if (pointed && mark.current) mark.current.scrollIntoView({ block: "center" }); }, [pointed]);
    return h("div", { ref: mark, className: `s2p-setting${pointed ? " s2p-pointed" : ""}` },
      h("div", null, h("label", { htmlFor: `s2p-${setting.key}` }, setting.label),
        h("p", { id: help, className: "text-muted" }, setting.help, " ", setting.required ? t("settings.required") : t("settings.default", { value: setting.default_words }), " ", setting.source === "command_line" ? t("settings.elsewhere") : "",
          refusal ? h("span", { className: "s2p-failed", role: "alert" }, h(Icon, { name: "faTimesCircle" }), refusal) : null)),
      h("div", null, h(Input, { setting, value, onChange, describedBy: help, invalid: Boolean(refusal) })));
  }

  // What is about to be saved, in words, with what it would do; Save counts at once.
  function SaveBar({ values, settings, refused, onSaved, onReset }) {
    const { t, list, many } = useWords();
    const keys = Object.keys(values);
    const rested = useRested(JSON.stringify(values), 600);
    const { data, problem } = useAnswer("check_settings", { values: JSON.parse(rested) }, keys.length > 0 && rested !== "{}");
    if (!keys.length) return null;
    const labels = settings.filter(({ key }) => keys.includes(key)).map(({ label }) => label);
    const found = data && rested === JSON.stringify(values) ? data.problems : [];
    return h("div", { className: "card s2p-save" }, h("div", { className: "card-body" },
      h("p", null, t("settings.differs", { list: list(labels), n: keys.length })),
      h(Problem, { problem }), found.map((one) => h("p", { key: one.key, className: "s2p-failed", role: "alert" }, h(Icon, { name: "faTimesCircle" }), one.what)),
      data ? data.counts.map((one) => h("p", { key: one.key + one.effect }, t(`settings.effect.${one.effect}`, { n: many(one.number), of: many(one.of), label: (settings.find(({ key }) => key === one.key) || {}).label || one.key }))) : null,
      h("div", { className: "s2p-actions" },
        h(Act, { run: async () => saved(await S2P.call("save_settings", { values })), label: t("save"), icon: "faSave", variant: "primary", disabled: refused || found.length > 0, after: onSaved }),
        h(Button, { variant: "secondary", onClick: onReset }, t("settings.reset")))));
  }

  // Stash keeps the settings in its cache and writes all of them when another one changes: it
  // reads ours again, so that it does not write the old ones back.
  function refreshStash() {
    try {
      const client = api.utils.StashService.getClient();
      client.query({ query: api.GQL.ConfigurationDocument, fetchPolicy: "network-only" }).catch(() => undefined);
    } catch (error) {
      // An older Stash: the next load of its page reads them.
    }
  }

  function Settings() {
    const { t } = useWords();
    const { values: address, change } = useAddress();
    const { data, problem, load } = useAnswer("settings");
    const [draft, setDraft] = useState({});
    const [said, setSaid] = useState("");
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const { settings } = data;
    const values = S2P.choices.changed(settings, draft);
    const refusals = {};
    for (const setting of settings) {
      const refusal = setting.key in values ? S2P.choices.refusal(setting, draft[setting.key]) : null;
      if (refusal) refusals[setting.key] = t(refusal.id, refusal.values);
      else if (setting.problem && !(setting.key in values)) refusals[setting.key] = setting.problem;
    }
    const refused = settings.some(({ key }) => key in values && refusals[key]);
    const done = () => { setDraft({}); setSaid(t("settings.saved")); refreshStash(); load(); S2P.pulse.now(); };
    return h("div", null, h(Problem, { problem, again: load }), said && !Object.keys(values).length ? h(Notice, { tone: "success" }, said) : null,
      S2P.choices.grouped(settings).map((group) => h(Card, { key: group.name, title: t(`group.${group.name}`) },
        group.name === "connection" ? address.sign_in ? h("div", { className: "s2p-fold" }, h(Connect, { onDone: () => { change({ sign_in: null }); done(); } }))
          : h("p", null, h(Button, { variant: "secondary", onClick: () => change({ sign_in: 1 }) }, t("sign_in.or_again"))) : null,
        group.settings.map((setting) => h(Row, { key: setting.key, setting, refusal: refusals[setting.key], pointed: address.key === setting.key,
          value: setting.key in draft ? draft[setting.key] : setting.value, onChange: (value) => { setSaid(""); setDraft((old) => ({ ...old, [setting.key]: value })); } })))),
      data.unknown.length ? h(Notice, null, t("settings.unknown", { list: data.unknown.join(", ") })) : null,
      h(SaveBar, { values, settings, refused, onSaved: done, onReset: () => setDraft({}) }));
  }

  S2P.views = { ...S2P.views, Settings };
});
