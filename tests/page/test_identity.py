"""Who we are to Plex is made once; of it only what is missing is made again."""

from __future__ import annotations

from stash2plex.store.identity import make_identity


def test_an_identity_is_made_once(make_desk):
    connection = make_desk().app.store.connection
    sql = "SELECT name, value FROM meta WHERE name IN ('plex_client_id', 'alias_key') ORDER BY name"
    before = list(connection.execute(sql))
    assert len(before) == 2
    make_identity(connection)
    assert list(connection.execute(sql)) == before
    connection.execute("DELETE FROM meta WHERE name = 'alias_key'")
    make_identity(connection)
    (alias, _), (client, kept) = connection.execute(sql)
    assert (alias, client, kept) == ("alias_key", "plex_client_id", before[1][1])
