"""The message that is being written: only its tail is parsed and drawn anew."""

from __future__ import annotations

from dataclasses import replace

from desktop.ui.transcript.blocks import Block, Kit, make_block
from desktop.ui.transcript.clean import clean
from desktop.ui.transcript.pieces import Piece, Splitter
from desktop.ui.transcript.rows import Row, RowLayout
from desktop.ui.transcript.sections import SOFT_LIMIT, weight
from desktop.ui.transcript.specs import Spec, specs
from desktop.ui.transcript.turns import ViewTurn


class LiveTurn:
    """Text that arrives bit by bit, in a row layout that grows; a long one goes on in a new row.

    The blocks before `finished` of the present row stay as they are; those before `settled` were
    so before the last text came.
    """

    def __init__(self, kit: Kit, turn: ViewTurn, row: Row) -> None:
        self.turn = turn
        self._kit = kit
        self._splitter = Splitter()
        self._held = ""
        self._texts: list[str] = []
        self._row_text: list[str] = []
        self._row_size = 0
        self.layout = RowLayout(kit, turn, row, [], waiting=True)
        self.finished = 0
        self.settled = 0

    @property
    def text(self) -> str:
        """All that has arrived."""
        return "".join(self._texts)

    def feed(self, text: str) -> Row | None:
        """Take text. When the row has become too long, the row in which it goes on."""
        text = self._held + text
        # A line break of two characters must not be torn into two.
        self._held = "\r" if text.endswith("\r") else ""
        text = clean(text.removesuffix("\r"))
        if not text:
            return None
        self._texts.append(text)
        self._row_text.append(text)
        self._row_size += weight(text)
        pieces = self._splitter.feed(text)
        self._show(pieces, self._splitter.live())
        if self._row_size > SOFT_LIMIT and self._splitter.carry.kind != "fence":
            return self._new_row()
        return None

    def end(self) -> None:
        """No more text comes."""
        self._show(self._splitter.close(), [])
        self.layout.row.text = "".join(self._row_text)
        self.layout.waiting = False

    def _show(self, done: list[Piece], live: list[Piece]) -> None:
        blocks = self.layout.blocks
        done_specs = [spec for piece in done for spec in specs(piece)]
        live_specs = [spec for piece in live for spec in specs(piece)]
        place = self.settled = self.finished
        for spec in done_specs:
            self._put(place, spec).finish()
            place += 1
        self.finished = place
        for spec in live_specs:
            self._put(place, spec)
            place += 1
        del blocks[place:]
        if blocks:
            self.layout.waiting = False

    def _put(self, place: int, spec: Spec) -> Block:
        """Show a block at a place of the row, in the document that is there if it fits."""
        blocks = self.layout.blocks
        if place < len(blocks) and blocks[place].accepts(spec):
            return blocks[place]
        made = make_block(self._kit, spec)
        if place < len(blocks):
            blocks[place] = made
        else:
            blocks.append(made)
        return made

    def _new_row(self) -> Row | None:
        """Close the row behind its last finished block and go on in a new one."""
        tail = self._splitter.tail
        text = "".join(self._row_text)
        if not self.finished or len(tail) >= len(text):
            return None
        old = self.layout
        old.row.text = text.removesuffix(tail)
        old.row.last = False
        row = replace(old.row, text="", carry=self._splitter.carry, first=False, last=True)
        self.layout = RowLayout(self._kit, self.turn, row, old.blocks[self.finished :])
        del old.blocks[self.finished :]
        self._row_text = [tail]
        self._row_size = weight(tail)
        self.finished = self.settled = 0
        return row
