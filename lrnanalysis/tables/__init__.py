"""The three tables: sessions, responses and items.

`schema` defines their columns, `integrity` checks them, `selection` selects sessions and puts
tables together, `pseudonyms` replaces identifiers.
"""
