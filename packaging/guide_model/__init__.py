"""The guide: a tiny language model that ships inside Hausgeist, and how it is made."""
