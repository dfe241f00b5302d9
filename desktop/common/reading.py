"""How people read: what turns tokens into pages, and a speed into a verdict."""

TOKENS_PER_PAGE = 400
"""A page of German or English prose: 250 to 300 words, about 1.4 tokens a word."""

COMFORTABLE_TOKENS_PER_S = 5.0
"""About 220 words a minute, how fast people read: below it an answer keeps its reader waiting."""
