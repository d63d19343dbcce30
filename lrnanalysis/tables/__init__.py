"""The three tables: columns, dtypes and units; integrity checks; selection; pseudonyms."""
