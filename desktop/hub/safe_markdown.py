"""A stranger's Markdown without anything that loads, runs or hides where it leads.

Images become their description, HTML its text, and behind every link stands the host it opens.
What comes out is read once more as a careless reader would, and taken apart where that still finds
something.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_CHARACTERS = 60_000
"""Of what is shown: nobody reads more, and a window has to draw it."""

_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})(.*)$")
_INLINE_CODE = re.compile(r"(?<!`)(`{1,4})(?!`)[^`\n]{0,2000}\1(?!`)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_HIDDEN = re.compile(
    r"<(script|style|svg|iframe|object|template|noscript|head|title)\b[^<>]{0,2000}>"
    r".*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_IMG = re.compile(r"<img\b([^<>]{0,4000})>", re.IGNORECASE)
_ANCHOR = re.compile(
    r"<a\b([^<>]{0,4000})>((?:(?!</?a\b).){0,4000}?)</a\s*>", re.DOTALL | re.IGNORECASE
)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_HREF = re.compile(r"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|hr|/?p|/?div|/?li|/?tr|/?h[1-6]|/?summary|/?details)\b[^<>]{0,4000}>",
                    re.IGNORECASE)  # fmt: skip
# What HTML knows; anything else in angles, such as a model's own <think>, is text.
_NAMES = (
    "a|abbr|article|aside|audio|b|big|blockquote|body|br|button|canvas|caption|center|cite|code|"
    "col|colgroup|dd|del|details|dfn|div|dl|dt|em|embed|figcaption|figure|font|footer|form|frame|"
    "frameset|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|map|mark|"
    "meta|nav|noscript|object|ol|option|p|param|picture|pre|q|s|samp|script|section|select|small|"
    "source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|"
    "th|thead|time|title|tr|tt|u|ul|var|video|wbr"
)
_TAG = re.compile(
    rf"</?(?:{_NAMES})(?=[\s/>])[^<>]{{0,4000}}>|<[?!][^<>]{{0,4000}}>", re.IGNORECASE
)
_AUTOLINK = re.compile(r"<(https?://[^\s<>]{1,2000})>", re.IGNORECASE)
_LABEL = r"\[((?:[^\[\]\n]|\[[^\[\]\n]{0,200}\]){0,300})\]"
_TARGET = (
    r"\(\s{0,9}<?([^\s()<>]{0,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500})?)>?"
    r"(?:\s[^)\n]{0,500})?\)"
)
_IMAGE = re.compile(rf"!{_LABEL}{_TARGET}")
_IMAGE_BY_NAME = re.compile(rf"!{_LABEL}\[[^\[\]\n]{{0,200}}\]")
_LINK = re.compile(rf"(?<!!){_LABEL}{_TARGET}")
_LINK_BY_NAME = re.compile(rf"(?<!!){_LABEL}\[([^\[\]\n]{{0,200}})\]")
_DEFINITION = re.compile(r"^[ ]{0,3}\[([^\[\]\n]{1,200})\]:[ \t]*<?([^\s<>]{1,2000})>?.*$", re.M)
_MANY_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_OURS = "\ue000"
"""Stands for the bracket between a label and an address that this module wrote."""


def safe_markdown(text: str) -> str:
    """`text` as Markdown without HTML or images; at most `MAX_CHARACTERS`."""
    cut = text[: MAX_CHARACTERS * 2].replace("\r\n", "\n").replace(_OURS, "").replace("\0", "")
    named: dict[str, str] = {}
    pieces = []
    for is_code, piece in _parts(cut):
        pieces.append((is_code, piece if is_code else _without_html(piece, named)))
    shown = "".join(p if is_code else _links_in(p, named) for is_code, p in pieces)
    shown = _MANY_LINES.sub("\n\n", shown).strip()
    if len(shown) > MAX_CHARACTERS:
        shown = shown[:MAX_CHARACTERS].rstrip() + " …"
    return shown if _is_safe(shown) else _taken_apart(shown)


def true_host(url: str) -> str:
    """The host that `url` opens, letters that look like others spelled out (``xn--``); "" for what
    is no address of the web."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
    except ValueError:  # UnicodeError is one
        return ""
    is_web = parts.scheme.lower() in ("http", "https") and "." in host
    return host.removeprefix("www.") if is_web and host.isprintable() else ""


def _is_safe(text: str) -> bool:
    """As a reader sees it that lets HTML through: what is code is not always clear from afar."""
    from markdown_it import MarkdownIt  # 60 ms that only reading a card costs

    try:
        tokens = MarkdownIt("commonmark").enable("table").parse(text)
    except RecursionError:
        return False
    for token in tokens:
        if token.type == "html_block" or not _is_safe_line(token.children or []):
            return False
    return True


def _is_safe_line(tokens: Sequence[Token]) -> bool:
    """No image, no HTML, and each link followed by its host, unless that is its label."""
    for at, token in enumerate(tokens):
        if token.type in ("image", "html_inline"):
            return False
        if token.type == "link_open":
            host = true_host(str(token.attrs["href"]))
            end = next(n for n in range(at, len(tokens)) if tokens[n].type == "link_close")
            label = "".join(inside.content for inside in tokens[at:end]).lower()
            behind = tokens[end + 1].content if end + 1 < len(tokens) else ""
            is_told = label.removeprefix("www.") == host or behind.startswith(f" ({host})")
            if not host or not is_told:
                return False
    return True


def _taken_apart(text: str) -> str:
    """With nothing left that could be a tag, an image or a link; it looks the same."""
    text = re.sub(r"<(?=[A-Za-z/!?])", "<\u200b", text)
    return re.sub(r"([!\]])(?=[\[(:])", "\\1\u200b", text)


def _parts(text: str) -> list[tuple[bool, str]]:
    """Fenced code, to be left as it is, and what stands between."""
    found: list[tuple[bool, str]] = []
    lines: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line.rstrip("\n"))
        if fence:
            lines.append(line)
            if match and match[1].startswith(fence) and not match[2].strip():
                found.append((True, "".join(lines)))
                lines, fence = [], ""
        elif match and "`" not in match[2]:
            found.append((False, "".join(lines)))
            lines, fence = [line], match[1]
        else:
            lines.append(line)
    # A fence without an end is none that somebody meant to hide things in.
    found.append((bool(fence), "".join(lines) + ("\n" + fence if fence else "")))
    return found


def _without_html(text: str, named: dict[str, str]) -> str:
    text = _HIDDEN.sub("", _COMMENT.sub("", text))
    text = _IMG.sub(lambda match: _picture(_attribute(_ALT, match[1])), text)
    text = _ANCHOR.sub(_anchor, text)
    text = _BREAK.sub("\n", text)
    text = _AUTOLINK.sub(lambda match: match[1], text)
    text = _outside_code(text, lambda plain: html.unescape(_TAG.sub("", plain)).replace("<", "\\<"))

    def take(match: re.Match[str]) -> str:
        named.setdefault(match[1].casefold(), match[2])
        return ""

    return _DEFINITION.sub(take, text)


def _links_in(text: str, named: dict[str, str]) -> str:
    def by_name(match: re.Match[str]) -> str:
        target = named.get((match[2] or match[1]).casefold())
        return match[0] if target is None else _link(match[1], target)

    def plain(piece: str) -> str:
        piece = _IMAGE.sub(lambda match: _picture(match[1]), piece)
        piece = _IMAGE_BY_NAME.sub(lambda match: _picture(match[1]), piece)
        piece = _LINK.sub(lambda match: _link(match[1], match[2]), piece)
        piece = _LINK_BY_NAME.sub(by_name, piece)
        # What a reader of Markdown would still take for an image, a link or an address of one.
        piece = piece.replace("![", "!\\[").replace("](", "]\\(").replace("]:", "]\\:")
        return piece.replace(_OURS, "](")

    return _outside_code(text, plain)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` between spans of inline code."""
    found = []
    at = 0
    for match in _INLINE_CODE.finditer(text):
        found += [change(text[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*found, change(text[at:])])


def _anchor(match: re.Match[str]) -> str:
    inside = _TAG.sub("", match[2]).strip()
    return _link(" ".join(inside.split()), html.unescape(_attribute(_HREF, match[1])))


def _attribute(pattern: re.Pattern[str], attributes: str) -> str:
    match = pattern.search(attributes)
    return next((group for group in match.groups() if group), "") if match else ""


def _picture(description: str) -> str:
    """What a picture shows, in brackets and in no language of ours: pictures are not fetched."""
    words = " ".join(re.sub(r"[\[\]()*_]", " ", html.unescape(description)).split())
    return f"*({words[:120]})*" if words.strip("*_ ") else ""


def _link(label: str, target: str) -> str:
    """The label, the address and, where the label does not say it, the host that it opens."""
    host = true_host(target)
    label = label.strip() or host
    if not host:
        return label
    address = target.replace(" ", "%20").replace("(", "%28").replace(")", "%29")
    if label.removeprefix("www.").lower() == host:
        return f"[{label}{_OURS}{address})"
    return f"[{label}{_OURS}{address}) ({host})"
