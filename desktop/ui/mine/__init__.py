"""My models: what is on this disk, how it does here, and what can be done with it."""
