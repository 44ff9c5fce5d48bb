"""Asking people what code alone does not tell, and writing down what they say as a manifest."""
