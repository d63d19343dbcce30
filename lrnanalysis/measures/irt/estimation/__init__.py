"""Item and group parameters: constraints, priors, start values and the search for the maximum."""
