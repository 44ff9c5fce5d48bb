"""Many copies of the operator, of which one acts: terms, requests to the one that does, what the others answer."""
