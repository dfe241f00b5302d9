"""The place that says what this computer can do."""
