"""Making prompts better: what is tried is played on the embedded Nomad, and what is kept is measured on other cases."""
