"""The probe: finds out how a Plex server treats edits, on items that the user names."""
