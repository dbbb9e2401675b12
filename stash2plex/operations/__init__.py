"""Use cases: they return values, and print nothing.

The modules form groups. Each imports from its own group and from those below.

    the page alone: trouble, scene_lists, library, libraries, choices, paths, settings, sign_in,
        surveys
    checks: health, probe, report
    questions: status, explain, preview, outages
    the queue and the way back: clear_queue, holds, dead_letters, undo, history, copies,
        import_legacy
    runs: enqueue, foreground, background, run_observer, runs, reconcile, rebuild_index
    shared: reasons, traits, notifications, server_probe, disabled
"""
