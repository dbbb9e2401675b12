// Plex is found: by signing in at plex.tv, where only the browser's other window goes, or by an
// address and a token typed by hand.
Stash2Plex.part(function (api) {
  "use strict";
  const S2P = Stash2Plex;
  const { Act, Icon, Notice, Problem, Waiting, h, useRested, useWords } = S2P.kit;
  const { React } = api;
  const { Bootstrap } = api.libraries;
  const { Button, Form } = Bootstrap;
  const { useEffect, useState } = React;

  const GOOD = ["answered"];

  function Address({ one }) {
    const { t, many } = useWords();
    const good = GOOD.includes(one.state);
    return h("span", { className: good ? "" : "s2p-failed" }, h(Icon, { name: good ? "faCheckCircle" : "faTimesCircle" }),
      h("code", null, one.url), " ", one.words || t(`address.${one.state}`), one.ms !== null ? ` ${t("ms", { n: many(Math.round(one.ms)) })}` : "", one.relay ? ` (${t("relay")})` : "");
  }

  // The servers of the account; the best address of the first that answers is taken at first.
  function Servers({ pin, servers, onDone }) {
    const { t } = useWords();
    const usable = servers.flatMap((server) => server.addresses.filter((one) => GOOD.includes(one.state)).map((one) => `${server.machine_id} ${one.url}`));
    const best = servers.find((server) => server.best);
    const [picked, setPicked] = useState(best ? `${best.machine_id} ${best.best}` : usable[0] || "");
    if (!servers.length) return h(Notice, { tone: "warning" }, t("sign_in.no_server"));
    const [machine_id, url] = [picked.slice(0, picked.indexOf(" ")), picked.slice(picked.indexOf(" ") + 1)];
    return h(Form, { onSubmit: (event) => event.preventDefault() },
      servers.map((server) => h("fieldset", { key: server.machine_id, className: "s2p-server" },
        h("legend", { className: "h6" }, server.name, " ", h("small", { className: "text-muted" }, server.owner ? t("owner", { name: server.owner }) : t("owner.you"), server.version ? ` · Plex ${server.version.split("-")[0]}` : "")),
        server.addresses.map((one) => {
          const id = `${server.machine_id} ${one.url}`;
          return h(Form.Check, { key: id, id: `s2p-${id}`, type: "radio", name: "s2p-address", checked: picked === id, disabled: !GOOD.includes(one.state), onChange: () => setPicked(id), label: h(Address, { one }) });
        }),
        server.advice ? h(Notice, { tone: "warning" }, server.advice) : null)),
      h(Act, { run: () => S2P.call("choose_server", { id: pin, machine_id, url }), label: t("sign_in.take"), variant: "primary", disabled: !picked, after: onDone }));
  }

  function SignIn({ onDone }) {
    const { t, lasting } = useWords();
    const [pin, setPin] = useState(null);
    const [answer, setAnswer] = useState(null);
    const [problem, setProblem] = useState(null);
    const [busy, setBusy] = useState(false);
    const [, tick] = useState(0);
    const waiting = pin && (!answer || ["waiting", "limited", "unreachable"].includes(answer.state));

    useEffect(() => {
      if (!waiting) return undefined;
      const wait = Math.max(pin.poll_s, answer ? answer.retry_s : 0) * 1000;
      const timer = setTimeout(async () => {
        const got = await S2P.call("sign_in_poll", { id: pin.id });
        if (got.problem) setProblem(got.problem);
        setAnswer(got.problem ? { state: "waiting", words: null, retry_s: 5 } : { ...got });
      }, wait);
      const clock = setInterval(() => tick((n) => n + 1), 1000);
      return () => { clearTimeout(timer); clearInterval(clock); };
    }, [pin, answer]);

    const begin = async () => {
      // Opened in the click itself: browsers refuse a window that opens later.
      const opened = window.open("", "_blank");
      setBusy(true);
      setProblem(null);
      setAnswer(null);
      const got = await S2P.call("sign_in");
      setBusy(false);
      if (got.problem || !S2P.links.outside(got.address)) {
        if (opened) opened.close();
        return setProblem(got.problem || { what: "failure.silent", do: "failure.silent.do", ours: true });
      }
      if (opened) {
        opened.opener = null;
        opened.location = got.address;
      }
      return setPin(got);
    };
    const cancel = () => { setPin(null); setAnswer(null); setProblem(null); };

    // An account without a usable server is not the end: it may have one in a minute, or another account.
    if (answer && answer.state === "agreed") {
      return h("div", null, h(Servers, { key: pin.id, pin: pin.id, servers: answer.servers, onDone }),
        h("p", null, h(Button, { variant: "link", onClick: cancel }, t("sign_in.other"))));
    }
    const left = pin ? (Date.parse(pin.expires_at) - Date.now()) / 1000 : 0;
    return h("div", null,
      !waiting ? h(Button, { variant: "primary", disabled: busy, onClick: begin }, h(Icon, { name: "faSignInAlt" }), " ", t("sign_in")) : null,
      waiting ? h("div", null,
        h("p", { role: "status" }, t("sign_in.agree"), " ", t("sign_in.code"), " ", h("strong", { className: "s2p-code" }, pin.code)),
        h("p", { className: "text-muted" }, left > 0 ? t("sign_in.left", { left: lasting(left) }) : t("sign_in.asking")),
        h("div", { className: "s2p-actions" },
          h("a", { className: "btn btn-secondary", href: S2P.links.outside(pin.address), target: "_blank", rel: "noreferrer" }, t("sign_in.again")),
          h(Button, { variant: "secondary", onClick: cancel }, t("cancel")))) : null,
      answer && answer.state !== "waiting" ? h(Notice, { tone: "warning" }, answer.words || t(`sign_in.${answer.state}`)) : null,
      h(Problem, { problem }));
  }

  function ByHand({ onDone }) {
    const { t, many } = useWords();
    const [url, setUrl] = useState("");
    const [token, setToken] = useState("");
    const [tried, setTried] = useState(null);
    const typed = useRested(`${url}\n${token}`, 700);
    const ready = /^https?:\/\/./i.test(url.trim()) && token.trim().length > 3;
    useEffect(() => {
      if (!ready) return setTried(null);
      let here = true;
      setTried({ busy: true });
      S2P.call("connect", { url: url.trim(), token: token.trim() }).then((answer) => { if (here) setTried(answer); });
      return () => { here = false; };
    }, [typed]);
    const good = tried && tried.address && GOOD.includes(tried.address.state);
    return h(Form, { onSubmit: (event) => event.preventDefault() },
      h(Form.Group, { controlId: "s2p-url" }, h(Form.Label, null, t("by_hand.url")),
        h(Form.Control, { className: "text-input", type: "url", autoComplete: "off", placeholder: "http://192.168.1.10:32400", value: url, onChange: (event) => setUrl(event.target.value), "aria-describedby": "s2p-url-help" }),
        h(Form.Text, { id: "s2p-url-help", className: "text-muted" }, t("by_hand.url.help"))),
      h(Form.Group, { controlId: "s2p-token" }, h(Form.Label, null, t("by_hand.token")),
        h(Form.Control, { className: "text-input", type: "password", autoComplete: "off", value: token, onChange: (event) => setToken(event.target.value) })),
      h("div", { role: "status" }, !tried ? null : tried.busy ? h(Waiting) : tried.problem ? h(Problem, { problem: tried.problem })
        : h("p", null, h(Address, { one: tried.address }), good ? ` ${tried.name || ""} ${tried.version ? `Plex ${tried.version.split("-")[0]}` : ""}` : "")),
      h(Act, { run: async () => {
        const saved = await S2P.call("save_settings", { values: { plex_url: url.trim(), plex_token: token.trim() } });
        const [first] = saved.problems || [];
        return first ? { problem: { what: first.what, do: "" } } : saved;
      }, label: t("save"), variant: "primary", disabled: !good, after: onDone }));
  }

  // Both ways; the second is folded away.
  function Connect({ onDone }) {
    const { t } = useWords();
    return h("div", null, h(SignIn, { onDone }),
      h("details", { className: "s2p-fold" }, h("summary", null, t("by_hand")), h(ByHand, { onDone })));
  }

  S2P.kit.Connect = Connect;
});
