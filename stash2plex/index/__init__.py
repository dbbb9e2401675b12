"""What Plex has: the path index, its news, and the scans that it is asked for."""
