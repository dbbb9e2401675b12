"""Numbered SQL files, applied in order and never edited afterwards.

A new column or table takes a new file, and `SCHEMA_NUMBER` in `db.py` is its number. A column of
`scene_record` is also a field of `Record` in `model.py`. It stands in `COLUMNS`, `GET` and `PUT` of
`store/records.py`, in `JSON_COLUMNS` if it is JSON, and in `KEEP_OURS` of `store/first_states.py`
if an undo needs it. A new table has one writer, in `store/`. Then `make docs`.
"""
