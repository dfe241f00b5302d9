"""The place for language, appearance and what little else there is to choose."""
