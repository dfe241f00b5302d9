"""Builds the catalogue of models from recorded facts; run by `packaging/catalog.py`."""
