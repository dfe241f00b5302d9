"""The small visual building blocks that every place is made of."""
