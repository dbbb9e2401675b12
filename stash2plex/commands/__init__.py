"""The commands, a file for each concern; `cli` is the group that holds them."""
