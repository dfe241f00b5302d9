"""The place that lists the models on this disk."""
