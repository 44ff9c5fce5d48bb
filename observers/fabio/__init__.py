"""What Fabio routes, and who claims the same route."""
