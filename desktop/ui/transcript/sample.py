"""A message that nobody sees: drawing it once loads the fonts and glyphs that answers need."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from desktop.ui.transcript.blocks import Kit
from desktop.ui.transcript.painting import Attention, RowPainter
from desktop.ui.transcript.rows import Row, build_row
from desktop.ui.transcript.selection import Selection
from desktop.ui.transcript.turns import ViewTurn

_SAMPLE = """# a
## b
### c
text **bold** *italic* ***both*** `code` ~~gone~~ [link](https://example.org)

- item
1. item

```
plain
```

| a | b |
|---|---|
| c | d |
"""


def draw_sample(kit: Kit, painter: RowPainter) -> None:
    """Lay out and draw one of each."""
    turn = ViewTurn(0, "assistant", _SAMPLE, author="a", detail="b", footer="c")
    layout = build_row(kit, turn, Row(0, turn.text))
    layout.arrange(kit.formats.theme.sizes.column)
    image = QImage(layout.width, layout.height, QImage.Format.Format_RGB32)
    canvas = QPainter(image)
    clip = QRect(0, 0, layout.width, layout.height)
    painter.paint(canvas, layout, 0, Selection(), Attention(), clip)
    canvas.end()
