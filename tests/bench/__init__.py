"""How fast, how light: the house beside the least that could do the same, measured in one run."""
