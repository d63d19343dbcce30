"""Input and output: JSON records, folders of Parquet files, long formats."""
