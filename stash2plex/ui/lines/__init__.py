"""Lines for people: the same words in Stash's log and on a command line."""
