// On the pages of Stash: a scene's tab, and a line on a performer's, a studio's and a tag's page.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Candidates, Difference, Icon, Name, Notice, PlexLink, Problem, PutBack, Table, Waiting, h, useAnswer, useWords } = S2P.kit;
  const { React } = api;
  const { Bootstrap, ReactRouterDOM } = api.libraries;
  const TONE = { in_sync: "success", differs: "info", waiting: "info", in_progress: "info", dead: "danger", not_matched: "warning" };
  const STATES = { equal: "faEquals", spelling: "faCheck", differs: "faNotEqual", kept: "faLock", not_ours: "faMinus", not_kept: "faExclamationTriangle", skipped: "faBan", unknown: "faQuestion" };

  function Preview({ id }) {
    const { t } = useWords();
    const { data, problem, load } = useAnswer("preview_some", { scene_ids: [id] });
    if (!data) return problem ? h(Problem, { problem, again: load }) : h(Waiting);
    const [scene] = data.scenes;
    if (data.problems.length) return h(Notice, { tone: "warning" }, data.problems[0].error);
    if (!scene || !(scene.fields.length + scene.pictures.length)) return h("p", { role: "status" }, t("preview.nothing"));
    return h("ul", { className: "s2p-plain" }, scene.fields.map((one) => h(Difference, { key: one.field, one })), scene.pictures.map((one) => h("li", { key: one }, t("picture.new", { what: t(`field.${one}`) }))));
  }

  // A field that is empty on both sides is not listed. Plex's pictures cannot be shown: they need
  // the token.
  function Fields({ fields, id }) {
    const { t } = useWords();
    const said = (value) => h(Name, null, S2P.choices.shownValue(value).join(", "));
    const isPicture = (one) => ["poster", "background"].includes(one.field);
    const there = (one) => S2P.choices.shownValue(one.stash).length + S2P.choices.shownValue(one.plex).length > 0;
    const cover = () => h("img", { className: "s2p-thumb", src: `${S2P.base()}scene/${id}/screenshot`, alt: t("picture"), loading: "lazy" });
    const rows = fields.filter((one) => there(one) || one.state === "differs").map((one) => ({ key: one.field, cells: [t(`field.${one.field}`),
      isPicture(one) && one.stash ? cover() : said(one.stash), isPicture(one) && one.plex ? t("picture") : said(one.plex),
      h("span", { className: one.state === "differs" ? "s2p-failed" : "" }, h(Icon, { name: STATES[one.state] }), " ", t(`field_state.${one.state}`))] }));
    return h(Table, { label: t("fields"), heads: [t("head.field"), "Stash", "Plex", t("state")], rows });
  }

  function Scene({ id }) {
    const { t, clock } = useWords();
    const { data, problem, load } = useAnswer("scene", { scene_id: id });
    const [preview, setPreview] = React.useState(false);
    if (!data) return h("div", { className: "s2p" }, problem ? h(Problem, { problem, again: load }) : h(Waiting));
    const { match } = data;
    return h("div", { className: "s2p s2p-panel" }, h(Problem, { problem, again: load }),
      h(Notice, { tone: TONE[data.state] || "info", extra: h(PlexLink, { full: data.web }) }, h("strong", null, t(`scene.${data.state}`)), data.since ? ` ${t("since", { at: clock(data.since) })}` : "", data.why && !(data.state === "in_sync" && data.since) ? h("div", null, data.why) : null, data.do ? h("div", null, data.do) : null),
      data.library ? h("p", null, t("scene.in_library", { library: data.library }), match && match.matched_by ? ` · ${t("scene.matched", { how: match.matched_by })}` : "") : null,
      data.choice ? h("p", null, t("scene.chosen", { at: clock(data.choice.at) }), " ", h(Act, { run: () => S2P.call("forget_choice", { scene_id: id }), label: t("candidates.forget"), size: "sm", after: load })) : null,
      h("div", { className: "s2p-actions" },
        h(Act, { run: () => S2P.call("sync", { scene_ids: [id] }), label: t("sync_now"), icon: "faSyncAlt", variant: "primary", says: () => t("queued_n", { n: 1 }), after: load }),
        h(Bootstrap.Button, { variant: "secondary", "aria-expanded": preview, onClick: () => setPreview(!preview) }, t("preview")),
        data.last_sync ? h(PutBack, { what: { scene_ids: [id] } }) : null,
        h(ReactRouterDOM.Link, { to: S2P.links.to("history", { scene: id }) }, t("history.link"))),
      preview ? h(Preview, { id }) : null,
      match && match.candidates.length > 1 ? h("div", null, h("h3", { className: "h6" }, t("candidates")), h(Candidates, { id, onDone: load })) : null,
      data.fields.length ? h(Fields, { fields: data.fields, id }) : null,
      data.unknown.length ? h("p", { className: "text-muted" }, data.unknown.join(" ")) : null);
  }

  // Asked only while the line is on the screen; nothing is drawn where there is nothing to report.
  function Entity({ noun, id }) {
    const { t } = useWords();
    const { data } = useAnswer("entity", { [`${noun}_id`]: id });
    if (!data || !data.scenes) return null;
    return h("div", { className: "s2p s2p-entity" }, h(ReactRouterDOM.Link, { to: S2P.links.to("now") }, h(Icon, { name: data.not_in_sync ? "faExclamationTriangle" : "faCheckCircle" }),
      data.not_in_sync ? t("entity.some", { n: data.not_in_sync, total: data.scenes }) : t("entity.all", { total: data.scenes })));
  }

  S2P.views = { ...S2P.views, Entity, Scene };
});
