"""Bytes of pages to the three tables.

No Python object is made per cell: pages are decoded straight into Arrow columns, linked there,
and become pandas once. Nothing is dropped: what no column holds is kept as JSON text in `extra`.
"""

from lrnanalysis.parse.table_builder import TableBuilder, Tables

__all__ = ["TableBuilder", "Tables"]
