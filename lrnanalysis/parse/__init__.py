"""From the bytes of pages to the three tables.

`table_builder` takes the pages. `scan` (compiled) or, where it was not built, `arrow` decodes them
straight into Arrow columns, without a Python object per cell; `fallback` reads any other record.
`links` resolves the links between items and responses. Nothing is dropped: what has no column is
kept as JSON text in `extra`.
"""
