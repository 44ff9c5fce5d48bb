"""What a codebase says of the job it needs: extractors, the facts they find, and how these are merged."""
