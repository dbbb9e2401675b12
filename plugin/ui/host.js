// The places where Stash shows us: the route of the page, the button in the navigation, the entry
// under Settings › Plugins, the tab of a scene, a line on a performer's, a studio's and a tag's page.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Edge, Icon, Words, h, useWords } = S2P.kit;
  const { React } = api;
  const { Bootstrap, ReactRouterDOM } = api.libraries;
  const BADGE_AFTER = 5000;

  // Change a part of Stash; a fault of ours leaves it as it was.
  function change(name, made) {
    api.patch.before(name, (props, ...rest) => {
      try {
        return [made(props), ...rest];
      } catch (error) {
        return [props, ...rest];
      }
    });
  }

  const with_ = (props, child) => ({ ...props, children: h(React.Fragment, null, props.children, child) });
  const ours = (child, silent = true) => h(Words, { key: "stash2plex" }, h(Edge, { silent }, child));

  function Button() {
    const { t } = useWords();
    const [, redraw] = React.useState(0);
    React.useEffect(() => S2P.pulse.watch(() => redraw((n) => n + 1), "badge", BADGE_AFTER), []);
    const { page } = S2P.pulse.state;
    const troubles = page ? page.troubles : 0;
    const label = troubles ? t("nav.troubles", { n: troubles }) : t("nav");
    return h(ReactRouterDOM.NavLink, { className: "nav-utility s2p-nav btn minimal d-flex align-items-center", to: S2P.links.to(troubles ? "trouble" : "now"), title: label, "aria-label": label },
      h(Icon, { name: "faRightLeft" }),
      troubles ? h("span", { className: "badge badge-danger s2p-badge", "aria-hidden": true }, troubles) : null);
  }

  function SettingsLink() {
    const { t } = useWords();
    return h("div", { className: "setting s2p" }, h("div", null, h("h3", null, t("settings.page")), h("div", { className: "sub-heading" }, t("settings.page.means"))),
      h("div", null, h(ReactRouterDOM.Link, { className: "btn btn-primary", to: S2P.links.to("now") }, t("settings.open"))));
  }

  api.register.route(S2P.links.ROOT, S2P.Page);
  change("MainNavBar.UtilityItems", (props) => with_(props, ours(h(Button))));
  api.patch.instead("PluginSettings", (props, ...rest) => {
    const next = rest[rest.length - 1];
    const shown = next(props, ...rest.slice(0, -1));
    if (props.pluginID !== "Stash2Plex") return shown;
    return h(React.Fragment, null, ours(h(SettingsLink)), shown);
  });
  change("ScenePage.Tabs", (props) => with_(props, h(Bootstrap.Nav.Item, { key: "stash2plex" }, h(Bootstrap.Nav.Link, { eventKey: "stash2plex" }, "Plex"))));
  change("ScenePage.TabContent", (props) => with_(props, h(Bootstrap.Tab.Pane, { key: "stash2plex", eventKey: "stash2plex", mountOnEnter: true, unmountOnExit: true },
    ours(h(S2P.views.Scene, { id: Number(props.scene.id) }), false))));
  // Stash has no place of its own on a tag's page: the picture at its head is drawn on all four
  // kinds of pages, and the address tells which this is.
  function TagLine() {
    const found = ReactRouterDOM.useRouteMatch("/tags/:id(\\d+)");
    return found ? h(S2P.views.Entity, { noun: "tag", id: Number(found.params.id) }) : null;
  }

  api.patch.after("HeaderImage", (props, ...rest) =>
    h(React.Fragment, null, rest[rest.length - 1], ours(h(TagLine))));
  for (const [name, noun] of [["PerformerDetailsPanel", "performer"], ["StudioDetailsPanel", "studio"]]) {
    api.patch.after(name, (props, ...rest) => {
      const shown = rest[rest.length - 1];
      if (!props || !props[noun]) return shown;
      return h(React.Fragment, null, shown, ours(h(S2P.views.Entity, { noun, id: Number(props[noun].id) })));
    });
  }
});
