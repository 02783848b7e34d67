"""Contracts from a CSV file: read by a mapping, checked line by line, written in batches.

    lines      bytes to records, whatever the encoding, the delimiter or a broken line
    cells      what a single cell may hold
    mapping    which column means what: declarative data
    declared   a mapping from its TOML
    rows       what a line comes to
    reading    a record to a row, or everything that is wrong with it
    derived    days that a file does not have, worked out from the tenure
    seen       what stood in earlier lines, kept on disk
    known      what the database knows about a batch
    writing    the difference to the database, written in batches: the only writer
    run        a whole file, start to end

Memory stays flat: nothing here holds more than a batch. ``docs/import.md`` describes the format.
"""
