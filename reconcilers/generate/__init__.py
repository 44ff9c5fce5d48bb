"""What a model may add to a codebase: facts that no extractor found, suggestions for what is open, words as answers."""
