"""The benchmark: paired runs on one machine, medians, ratios against a limit or a plain script."""
