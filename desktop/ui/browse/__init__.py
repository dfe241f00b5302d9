"""The model browser: search the Hub, look into a repository, fetch from it."""
