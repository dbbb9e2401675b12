"""What Plex should hold for a scene, and how it comes to hold it."""
