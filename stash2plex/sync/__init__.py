"""Everything that runs: the drain, its stages, and the sweeps.

The modules form groups. Each imports from its own group and from those below.

    the loop: worker, gate, goals, stops, wall_clock, showing, observer
    the library: sweeper, sweep, new_scenes, reconcile, scheduled_reconcile, report
    stages of a key: pipeline, finder, ready_jobs, recorder, unsent, failures, judge, undoing,
        read_back
    pictures: picture_lane, picture_work, picture_reading, picture_keeping
    writing: writes, apply, edits, pictures, collections, keeping
    Plex's list: index_changes, plex_watch, plex_changes, library_blame, whose_library
    shared: session, in_hand, in_flight, evidence, indexing, settings_reader, settings_watch
"""
