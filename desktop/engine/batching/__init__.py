"""What is computed next, for many conversations at once."""
