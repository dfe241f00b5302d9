"""What a model's makers write about it: their README, drawn as the transcript draws Markdown."""

from __future__ import annotations

from desktop.ui.look import Look
from desktop.ui.transcript.outside import ask_and_open
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.view import TranscriptView

MOST_CHARS = 120_000
"""Real ones have up to 60,000; what somebody made to be slow takes 0.2 s to cut."""


class CardView(TranscriptView):
    """One text from its beginning. Nothing in it loads anything; a link asks before it opens."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__(look.theme, icon_of=look.icon)
        self._look = look
        self._text = ""
        self.setAccessibleName(name)
        self.link_activated.connect(lambda address: ask_and_open(self, address))
        look.changed.connect(self._retheme)

    def show_text(self, author: str, markdown: str) -> None:
        """Show this text from its first line; the same one stays where it is."""
        if markdown == self._text:
            return
        self._text = markdown
        shown, notice = markdown, ""
        if len(markdown) > MOST_CHARS:
            shown = markdown[: markdown.rfind("\n", 0, MOST_CHARS) + 1] or markdown[:MOST_CHARS]
            notice = self.tr("This text goes on for long. The rest stands on the model's page.")
        turn = ViewTurn(id=1, role="assistant", text=shown, author=author, notice=notice)
        self.set_turns([turn])
        self.stage.sticks = False
        self.stage.scroll_to(0)
        self.refresh()

    def _retheme(self) -> None:
        self.set_theme(self._look.theme)
