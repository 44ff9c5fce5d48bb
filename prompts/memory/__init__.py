"""What was learned before: short notes that are found again by what they say, and by exact fields."""
