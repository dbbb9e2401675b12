"""The programs behind the make verbs; not part of the plugin."""
