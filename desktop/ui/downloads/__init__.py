"""The downloads as the window shows them."""
