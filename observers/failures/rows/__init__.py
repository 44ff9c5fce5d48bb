"""The rows of the table of failures, a module a family."""
