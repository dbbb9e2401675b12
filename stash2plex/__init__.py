"""Stash2Plex: what you curate in Stash is what Plex shows.

The tree, from the outside in: `hook` records a change, `plugin` and `cli` are the two doors,
`app` builds the objects, `worker` drains the queue, `apply` makes one scene agree.
`docs/concepts/` explains it in words.
"""
