"""What Vault knows of secrets: where they are and what their fields are called. Never a value."""
