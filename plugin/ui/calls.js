// Calls to Stash: the plugin's operations, its tasks. Nothing here throws: a failure is an answer
// { problem: { what, do, kind } }, with a text's id in `what` where the sentence is ours.
(function (S2P) {
  "use strict";
  const PATIENCE = 60000;
  const OPERATION =
    'mutation Operation($args: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $args) }';
  const TASK = "mutation Task($name: String!) " +
    '{ runPluginTask(plugin_id: "Stash2Plex", task_name: $name) }';

  // What Stash reports of a process that it could not start, or that ended badly.
  const NOT_RUN = /fork\/exec|executable file|exit status|signal:|is disabled|nil pointer/i;

  // Ask Stash's GraphQL; returns { data } or { problem }.
  async function ask(query, variables) {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), PATIENCE);
    let reply;
    let answer;
    try {
      reply = await fetch(`${S2P.base()}graphql`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ query, variables }),
        signal: giveUp.signal,
      });
      answer = await reply.json();
    } catch (error) {
      if (reply && (reply.status === 401 || reply.redirected)) return failure("logged_out");
      return failure(giveUp.signal.aborted ? "slow" : "no_stash");
    } finally {
      clearTimeout(timer);
    }
    if (reply.status === 401) return failure("logged_out");
    if (answer.errors && answer.errors.length) {
      const { message } = answer.errors[0];
      return failure(NOT_RUN.test(message) ? "process" : "reported", message);
    }
    return { data: answer.data };
  }

  function failure(kind, detail = "") {
    return { problem: { what: `failure.${kind}`, do: `failure.${kind}.do`, ours: true, kind, detail } };
  }

  // Run an operation; returns its output, which may be { problem } too.
  S2P.call = async (mode, args = {}) => {
    const { data, problem } = await ask(OPERATION, { args: { mode, ...args } });
    if (problem) return { problem };
    return data.runPluginOperation || failure("silent");
  };

  // Queue one of the plugin's tasks, as its button in Stash does.
  S2P.runTask = async (name) => {
    const { data, problem } = await ask(TASK, { name });
    return problem ? { problem } : { job: data.runPluginTask };
  };
})((window.Stash2Plex = window.Stash2Plex || {}));
