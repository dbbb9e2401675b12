// Stash runs this script, inside its own process, after each save of a scene, performer, studio,
// tag or group. It passes the ids of what was saved to Stash2Plex, which records them, and does
// nothing else: no file is read or written, and no network is used.
//
// An edit of many objects runs it once for each, and gives every run the whole list. To record a
// list, Python has to be started, which costs a hundred times as much as this script. So only
// the run of the first object passes the list on; the others look at the first entry and end.
//
// Stash reads it again for each run: every line costs. It throws nothing; an error is a line in
// Stash's log, and the save succeeds nevertheless.
(function () {
  "use strict";
  var edit = input.Args.hookContext;
  if (edit.type === "Scene.Create.Post" && isFound(edit.id)) {
    return { Error: null };
  }
  try {
    var given = edit.input || [], list = given.ids || given, ids = [];
    if (!list[0]) {
      // A single object. The tags that a merge removes have no run of their own.
      ids.push(edit.id);
      list = given.source || [];
    } else if (idOf(list[0]) !== edit.id) {
      return { Error: null };
    }
    for (var i = 0; i < list.length; i++) {
      ids.push(idOf(list[i]));
    }
    var answer = run({ mode: "record", hook: edit.type, ids: ids, fields: edit.inputFields });
    if (!answer || answer.error === undefined) {
      throw "Stash2Plex gave no answer";
    }
    return { Error: answer.session ? handOver(answer.session) : answer.error };
  } catch (error) {
    return {
      Error: "A change was not recorded: " + error + ". Run Stash2Plex's Health Check. The change " +
        "is found when Stash2Plex next looks at Stash."
    };
  }

  // A scan runs this once for each new file, without a list. While the background worker looks for
  // new scenes every second, they are left to it. The name of a folder shows until when it does,
  // at most 5 seconds ahead, and above which id.
  function isFound(id) {
    try {
      var folders = gql.Do(
        "query Folders($path: String) { directory(path: $path) { directories } }",
        { path: input.ServerConnection.Dir + "/stash2plex" }
      ).directory.directories;
      for (var i = 0; i < folders.length; i++) {
        var promise = /new-scenes-(\d+)-(\d+)$/.exec(folders[i]);
        var left = promise ? promise[1] - Date.now() : 0;
        if (left > 0 && left < 5000 && id > Number(promise[2])) {
          return true;
        }
      }
    } catch (error) {
      // Then Python is started as for any other save.
    }
    return false;
  }

  // An entry of a list is an id, or an input that has one. Stash takes "007" for 7.
  function idOf(entry) {
    return Number(entry.id || entry);
  }

  function run(args) {
    return gql.Do(
      'mutation Run($args: Map) { runPluginOperation(plugin_id: "Stash2Plex", args: $args) }',
      { args: args }
    ).runPluginOperation;
  }

  // Gives a worker that is to be started the session of this save. The one that Stash2Plex itself
  // is started with is refused if Stash has a password. Stash may write what is passed on
  // into its log, so it is masked with a key that is valid once and that no log shows.
  function handOver(session) {
    try {
      var value = input.ServerConnection.SessionCookie.Value, masked = [];
      if (value.length > session.key.length) {
        throw "The session is too long";
      }
      for (var i = 0; i < value.length; i++) {
        masked.push(value.charCodeAt(i) ^ session.key[i]);
      }
      return run({ mode: "session", nonce: session.nonce, masked: masked }).error;
    } catch (error) {
      return "The change is recorded, but the background worker was not started. The next save " +
        "tries again.";
    }
  }
})();
