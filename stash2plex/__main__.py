"""`python -m stash2plex` is the command line."""

from stash2plex.cli.main import main

if __name__ == "__main__":
    main()
