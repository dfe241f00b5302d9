"""What an answer must look like: grammars, JSON schemas, and their limits."""
