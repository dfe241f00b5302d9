"""The conversation: an own scroll area that draws messages, a small document a block."""
