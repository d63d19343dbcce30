"""What is computed from the estimates: abilities, curves, fit statistics, files."""
