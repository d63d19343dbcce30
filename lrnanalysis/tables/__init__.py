"""The three tables: sessions, responses and items.

`schema` defines their columns, `integrity` checks them, `table_operations` selects sessions and
combines tables, `pseudonyms` replaces identifiers.
"""
