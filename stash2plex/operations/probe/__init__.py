"""The probe: how a Plex server treats edits, found out on items that the user names."""
