"""Path rules as the user writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stash2plex.path_map_setting import read_path_rules, write_path_rules


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ()),
        (" ; ", ()),
        ("/data=>/media", (("/data", "/media"),)),
        (" /data => /media ;C:\\films=>D:\\f; ", (("/data", "/media"), ("C:\\films", "D:\\f"))),
        ('"/data/a;b"=>/media', (("/data/a;b", "/media"),)),
        ('"/data/a;b" => "/media/c=>d" ; /x=>/y', (("/data/a;b", "/media/c=>d"), ("/x", "/y"))),
        ("'/data/a=>b'=>“/media/c;d”", (("/data/a=>b", "/media/c;d"),)),
        ('"/data/the ""old"" pier;"=>/media', (('/data/the "old" pier;', "/media"),)),
        # As before: an arrow in the second folder needs no quotes, and a quote may be part of one.
        ("/data=>/media/c=>d", (("/data", "/media/c=>d"),)),
        ('/data/12" vinyl=>/media', (('/data/12" vinyl', "/media"),)),
        ("'Til dawn=>/media", (("'Til dawn", "/media"),)),
        ('"/data" old=>/media', (('"/data" old', "/media"),)),
    ],
)
def test_how_rules_are_read(text, rules):
    assert read_path_rules(text) == rules
    assert read_path_rules(write_path_rules(rules)) == rules


@pytest.mark.parametrize("text", ["/data", "=>/media", "/data=>", "/data=>;/x=>/y", '"/a;b=>/c"'])
def test_a_rule_without_both_folders_is_refused(text):
    with pytest.raises(ValueError, match="^$"):
        read_path_rules(text)


FOLDERS = some.text(alphabet="/ab \"'“”;=>\\\\", min_size=1, max_size=12).filter(
    lambda text: text.strip() == text and text.strip("\"'“” ") != ""
)


@given(some.lists(some.tuples(FOLDERS, FOLDERS), max_size=4).map(tuple))
def test_any_folders_can_be_written(rules):
    assert read_path_rules(write_path_rules(rules)) == rules
