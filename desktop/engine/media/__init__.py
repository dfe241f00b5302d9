"""Pictures and sound for models that see or hear."""
