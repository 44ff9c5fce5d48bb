"""From evidence to the name of a failure, who can mend it, and what may help."""
