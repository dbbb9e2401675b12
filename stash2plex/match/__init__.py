"""Which Plex item is a scene's."""
