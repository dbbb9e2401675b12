"""What each task and operation does, a file for each concern; `tasks` is their list."""
