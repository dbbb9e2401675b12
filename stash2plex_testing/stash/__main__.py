"""`python -m stash2plex_testing.stash`: the stand-in alone, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading

from stash2plex_testing.stash.fake import FakeStash


def main() -> None:
    """Start a server with a generated library and print its address."""
    parser = argparse.ArgumentParser(
        prog="python -m stash2plex_testing.stash", description="A stand-in for a Stash server."
    )
    parser.add_argument("--scenes", type=int, default=200, help="how many scenes to make up")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another library")
    parser.add_argument("--library", default="/data", help="folder that the files appear to be in")
    parser.add_argument("--plugin", action="append", default=[], help="a plugin's zip to install")
    parser.add_argument("--port", type=int, default=9999, help="0 takes a free one")
    parser.add_argument("--root", help="folder for config and plugins; a temporary one by default")
    parser.add_argument("--username", help="with a password: ask for a login")
    parser.add_argument("--password")
    parser.add_argument("--api-key", default="")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with tempfile.TemporaryDirectory(prefix="fake-stash-") as temporary:
        stash = FakeStash(
            root=options.root or temporary,
            port=options.port,
            username=options.username,
            password=options.password,
            api_key=options.api_key,
        )
        stash.generate(options.scenes, options.seed, options.library)
        with stash:
            for archive in options.plugin:
                print(f"Installed {stash.install(archive)}.")
            print(f"FakeStash is at {stash.url} (folders: {stash.config_dir}).", flush=True)
            ended.wait()


if __name__ == "__main__":
    main()
