// The part of Stash's interface that a plugin's page meets: `PluginApi`, the places that can be
// patched, the routes and the loading of plugins' scripts (stash.md §7). The libraries are Stash's,
// in its versions; the rest is as small as it can be.
import * as Apollo from "@apollo/client";
import * as FontAwesomeSolid from "@fortawesome/free-solid-svg-icons";
import { FontAwesomeIcon } from "@fortawesome/react-fontawesome";
import React from "react";
import * as Bootstrap from "react-bootstrap";
import ReactDOM from "react-dom";
import * as Intl from "react-intl";
import * as ReactRouterDOM from "react-router-dom";
import * as ReactSelect from "react-select";

const h = React.createElement;
const { Link, NavLink, Route, Switch } = ReactRouterDOM;
const { Button, Nav, Navbar, Tab, Toast } = Bootstrap;
const base = new URL(document.querySelector("base").getAttribute("href"), location.origin).pathname;

// -- patches ----------------------------------------------------------------------------------

const patches = { before: {}, instead: {}, after: {} };
const components = {};

function patch(kind) {
  return (name, change) => {
    (patches[kind][name] = patches[kind][name] || []).push(change);
  };
}

function patchable(name, component) {
  const shown = function (...given) {
    let values = given;
    for (const change of patches.before[name] || []) values = change.apply(this, values);
    const chain = patches.instead[name] || [];
    const run = (index) =>
      index < chain.length
        ? (...inner) => chain[index].apply(this, inner.concat(run(index + 1)))
        : component;
    let result = run(0).apply(this, values);
    for (const change of patches.after[name] || []) result = change.apply(this, [...values, result]);
    return result;
  };
  components[name] = shown;
  return shown;
}

const container = (name) => patchable(name, (props) => h(React.Fragment, null, props.children));

const UtilityItems = container("MainNavBar.UtilityItems");
const PluginRoutes = container("PluginRoutes");
const SceneTabs = container("ScenePage.Tabs");
const SceneTabContent = container("ScenePage.TabContent");
const PluginSettings = patchable("PluginSettings", ({ pluginID, settings }) =>
  h("div", { className: "plugin-settings" }, settings.map((setting) =>
    h("div", { className: "setting", id: `plugin-${pluginID}-${setting.name}`, key: setting.name },
      h("h3", null, setting.display_name || setting.name),
      h("div", { className: "sub-heading" }, setting.description)))));
const details = (name, noun) => patchable(name, (props) =>
  h("div", { className: "detail-group" }, h("p", null, props[noun].name)));
const PerformerDetailsPanel = details("PerformerDetailsPanel", "performer");
const StudioDetailsPanel = details("StudioDetailsPanel", "studio");
// The picture at the head of a page; Stash draws it on four kinds of pages.
const HeaderImage = patchable("HeaderImage", (props) =>
  h("div", { className: "detail-header-image" }, props.children));
patchable("Icon", (props) =>
  h(FontAwesomeIcon, { ...props, className: `fa-icon ${props.className || ""}` }));
patchable("LoadingIndicator", (props) =>
  h("div", { className: "LoadingIndicator" },
    h(Bootstrap.Spinner, { animation: "border", role: "status" },
      h("span", { className: "sr-only" }, "Loading...")), props.message || ""));

// -- toasts and the API -----------------------------------------------------------------------

const ToastContext = React.createContext({});

function Toasts({ children }) {
  const [shown, setShown] = React.useState([]);
  const api = React.useMemo(() => {
    const add = (variant) => (content) => setShown((old) => [...old, { variant, content }]);
    return { success: add("success"), error: (error) => add("danger")(String(error)), toast: add("info") };
  }, []);
  return h(ToastContext.Provider, { value: api }, children,
    h("div", { className: "toast-container", "aria-live": "polite" }, shown.map((one, index) =>
      h(Toast, { key: index }, h(Toast.Body, null, String(one.content))))));
}

const client = new Apollo.ApolloClient({
  cache: new Apollo.InMemoryCache(),
  link: new Apollo.HttpLink({ uri: `${base}graphql` }),
});
const events = new EventTarget();
const ConfigurationDocument = Apollo.gql`query Configuration {
  configuration { interface { language } plugins } }`;

window.PluginApi = {
  React, ReactDOM, components,
  GQL: { ConfigurationDocument },
  libraries: {
    Apollo, Bootstrap, FontAwesomeSolid, Intl,
    ReactRouterDOM, ReactSelect,
  },
  register: {
    route: (path, component) => patch("before")("PluginRoutes", (props) => [
      { children: h(React.Fragment, null, props.children, h(Route, { path, component })) },
    ]),
    component: (name, component) => {
      if (components[name]) throw new Error(`Component ${name} has already been registered`);
      components[name] = component;
      return component;
    },
  },
  loadableComponents: {},
  utils: { StashService: { getClient: () => client }, loadComponents: () => Promise.resolve() },
  hooks: { useToast: () => React.useContext(ToastContext), useLoadComponents: () => false },
  patch: { before: patch("before"), instead: patch("instead"), after: patch("after") },
  Event: events,
};

// -- pages ------------------------------------------------------------------------------------

function useQuery(text, variables) {
  const document_ = React.useMemo(() => Apollo.gql(text), [text]);
  return Apollo.useQuery(document_, { client, variables }).data;
}

function Front() {
  return h("div", null, h("h1", null, "FakeStash"), h(Link, { to: "/settings?tab=plugins" }, "Plugins"));
}

function ScenePage({ match }) {
  const data = useQuery(
    "query S($id: ID!) { findScene(id: $id) { id title files { path } studio { id name } } }",
    { id: match.params.id });
  if (!data) return null;
  const scene = data.findScene;
  return h("div", { className: "scene-tabs" }, h("h3", { className: "scene-header" }, scene.title),
    h(Tab.Container, { defaultActiveKey: "scene-details-panel" },
      h(Nav, { variant: "tabs", className: "mr-auto" },
        h(SceneTabs, { scene }, h(Nav.Item, null,
          h(Nav.Link, { eventKey: "scene-details-panel" }, "Details")))),
      h(Tab.Content, null, h(SceneTabContent, { scene },
        h(Tab.Pane, { eventKey: "scene-details-panel" }, scene.files.map((file) => file.path).join(" "))))));
}

function entityPage(noun, field, Panel) {
  return ({ match }) => {
    const data = useQuery(`query E($id: ID!) { ${field}(id: $id) { id name } }`, { id: match.params.id });
    return data ? h("div", { id: `${noun}-page`, className: "row" },
      h("div", { className: "detail-header" }, h("div", { className: "detail-container" },
        h(HeaderImage), h("h2", null, data[field].name),
        Panel ? h(Panel, { [noun]: data[field] }) : null))) : null;
  };
}

function Settings() {
  const data = useQuery("{ plugins { id name settings { name display_name description } } }");
  return h("div", { id: "settings-container" }, (data ? data.plugins : []).map((plugin) =>
    h("div", { className: "setting-group", key: plugin.id }, h("h2", null, plugin.name),
      h(PluginSettings, { pluginID: plugin.id, settings: plugin.settings || [] }))));
}

function UtilityButtons() {
  return h(UtilityItems, null,
    h(NavLink, { className: "nav-utility", exact: true, to: "/settings" },
      h(Button, { className: "minimal", title: "Settings" }, "Settings")));
}

function MainNavbar() {
  // Twice, as in Stash: once for wide windows, once for narrow ones.
  return h(Navbar, { fixed: "top", variant: "dark", className: "top-nav", expand: "xl" },
    h(Navbar.Collapse, { className: "order-sm-1" }, h(Nav, null, h(UtilityButtons))),
    h(Navbar.Brand, { as: "div" }, h(Link, { to: "/" }, "Stash")),
    h(Nav, { className: "navbar-buttons flex-row ml-auto order-xl-2" }, h(UtilityButtons)));
}

function Location() {
  const place = ReactRouterDOM.useLocation();
  React.useEffect(() => {
    events.dispatchEvent(new CustomEvent("stash:location", { detail: { data: { location: place } } }));
  }, [place]);
  return null;
}

function App({ language }) {
  return h(Intl.IntlProvider, { locale: language, messages: {}, onError: () => undefined },
    h(Toasts, null, h(ReactRouterDOM.BrowserRouter, { basename: base },
      h(Location), h(MainNavbar),
      h("div", { className: "main container-fluid" }, h(Switch, null,
        h(Route, { exact: true, path: "/", component: Front }),
        h(Route, { path: "/scenes/:id", component: ScenePage }),
        h(Route, { path: "/performers/:id",
          component: entityPage("performer", "findPerformer", PerformerDetailsPanel) }),
        h(Route, { path: "/studios/:id",
          component: entityPage("studio", "findStudio", StudioDetailsPanel) }),
        // Nothing on a tag's page that names the tag can be patched.
        h(Route, { path: "/tags/:id", component: entityPage("tag", "findTag", null) }),
        h(Route, { path: "/settings", component: Settings }),
        h(PluginRoutes))))));
}

// -- the start --------------------------------------------------------------------------------

function add(name, values) {
  return new Promise((done) => {
    const element = Object.assign(document.createElement(name), values);
    element.addEventListener("load", done);
    element.addEventListener("error", done);
    document.head.appendChild(element);
  });
}

async function start() {
  const { data } = await client.query({
    query: Apollo.gql`{ plugins { id enabled paths { javascript css } }
      configuration { interface { language } } }`,
  });
  const loaded = [];
  for (const plugin of data.plugins.filter((one) => one.enabled)) {
    for (const src of plugin.paths.javascript || []) loaded.push(add("script", { src, async: false }));
    for (const href of plugin.paths.css || []) loaded.push(add("link", { href, rel: "stylesheet" }));
  }
  await Promise.all(loaded);
  const language = data.configuration.interface.language || "en-GB";
  ReactDOM.render(h(App, { language }), document.getElementById("root"));
}

start();
