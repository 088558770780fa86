"""Network weights: what there is, whose they are, and where they lie."""
