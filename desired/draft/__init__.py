"""From facts to a manifest: every value with its source, and a question for what nothing tells."""
