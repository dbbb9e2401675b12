"""Stash2Plex: what a person curates in Stash is what Plex shows.

The tree, from the outside in: `hook` notes a change, `plugin` and `cli` are the two doors,
`app` builds the objects, `worker` drains the queue, `apply` makes one scene agree.
`docs/concepts/` tells the same story in words.
"""
