"""Whether the corpus can produce a sentence, letter for letter but for case, signs and spaces."""

from __future__ import annotations

from guide_model.corpus import Corpus
from guide_model.grammar import Node, Words, parse

_PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def normal(text: str) -> str:
    """Letters and digits only, lower case, without umlauts."""
    return "".join(sign for sign in text.lower().translate(_PLAIN) if sign.isalnum())


class Membership:
    """Matches sentences against all questions of one language, bare or in a frame."""

    def __init__(self, corpus: Corpus, language: str) -> None:
        self.words: Words = corpus.words[language]
        self._text = ""
        self._lists = {name: normal_list(entry) for name, entry in self.words.items()}
        speeches = [topic.speech[language] for topic in corpus.topics]
        frames = corpus.frames[language]
        self.patterns = [
            *((p, "question") for s in speeches for p in s.questions),
            *((p, "clause") for s in speeches for p in s.clauses),
            *((p, "name") for s in speeches for p in s.names),
        ]
        self.frames = {name: [f.split("{}") for f in frames[name]] for name in _FRAMED}
        self.follow = [p for name in _FOLLOWING for p in frames[name]]

    def _node(self, node: Node, at: int) -> set[int]:
        if isinstance(node, str):
            sign = normal(node)
            return {at + len(sign)} if self._text.startswith(sign, at) else set()
        if node[0] == "choice":
            return {end for branch in node[1] for end in self._ends(branch, {at})}  # type: ignore[arg-type]
        entry = self._lists[str(node[1])]
        if entry is None:
            return set()
        return {end for pattern in entry for end in self._ends(parse(pattern), {at})}

    def _ends(self, nodes: tuple[Node, ...], starts: set[int]) -> set[int]:
        for node in nodes:
            starts = {end for at in starts for end in self._node(node, at)}
            if not starts:
                break
        return starts

    def _cores(self, kind: str, sentence: str) -> set[str]:
        """The sentence, and what is left of it inside each frame."""
        cores = {sentence}
        for before, after in self.frames[kind]:
            self._text = sentence
            heads = self._ends(parse(before), {0})
            for head in heads:
                for tail in range(head + 1, len(sentence) + 1):
                    if len(sentence) in self._ends(parse(after), {tail}):
                        cores.add(sentence[head:tail])
        return cores

    def produces(self, question: str) -> str | None:
        """A pattern that gives this question, or None."""
        sentence = normal(question)
        cores = {kind: self._cores(kind, sentence) for kind in _FRAMED}
        for pattern, kind in self.patterns:
            for core in cores[kind]:
                self._text = core
                if len(core) in self._ends(parse(pattern), {0}):
                    return pattern
        self._text = sentence
        for pattern in self.follow:
            if len(sentence) in self._ends(parse(pattern), {0}):
                return pattern
        return None


_FRAMED = ("question", "clause", "name")
_FOLLOWING = ("shorter", "more", "again", "to_de", "to_en", "windows", "mac", "linux")


def normal_list(entry: object) -> tuple[str, ...] | None:
    """The patterns of a word list; None where words are invented and nothing can match."""
    return None if callable(entry) else tuple(entry)  # type: ignore[arg-type]
