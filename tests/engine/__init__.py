"""Tests of the engine, on real tiny models."""
