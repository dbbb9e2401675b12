"""The one place that names the version."""

VERSION = "2.0.0"
