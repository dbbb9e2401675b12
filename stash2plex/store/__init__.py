"""All SQL but the queue's and the connection's.

A table has one writer; docs/reference/database.md lists each with its module, and `tests/structure`
names the few that have a second one. The modules form groups. Each imports from its own group and
from those below.

    Plex's files: plex_files, path_rules, awaited_files, scans, library_lists, library_troubles,
        other_libraries, plex_comparisons, server_traits, other_items
    comparing: scenes, marks, key_set, reports, differences, surveys
    the queue: queue, runs, holds, dead_letters, key_state, names
    what was written: records, followers, waiting_pictures, picture_checks, item_claims,
        item_choices, history, first_states, undo_marks, own_collections
    servers: breaker, outages
    what is shown: stored_status, stored_page, scene_counts, scene_lists, progress, metrics, notices
    the file: inspection, repair, restore
    named values: meta, stored_json, identity, worker_choice, tag_lists, servers_seen
"""
