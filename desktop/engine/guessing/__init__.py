"""Tokens guessed ahead and judged in one step (speculative decoding)."""
