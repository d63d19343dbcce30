"""Files: JSON in and out (`files`, `json_records`), Parquet folders, and the long format."""
