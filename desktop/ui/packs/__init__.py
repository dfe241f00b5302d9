"""Packs in the window: models to carry to another computer, and models that were carried here."""
