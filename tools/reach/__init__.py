"""Which test reaches which line, in the test's own process and in the plugin's."""
