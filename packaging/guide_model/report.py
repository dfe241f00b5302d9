"""Judge answers to the held-out questions: `python -m guide_model.report --answers FILE`."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from guide_model import corpus
from guide_model.judge import Judge, Question, Verdict, held_out

_GOALS = {"right topic": 0.90, "right language": 0.99, "foreign topics declined": 0.85}


@dataclass(frozen=True, slots=True)
class Row:
    """A question, what was answered, and what the answer is about."""

    question: Question
    answer: str
    verdict: Verdict

    @property
    def right(self) -> bool:
        return self.verdict.topic in self.question.topics

    @property
    def foreign(self) -> bool:
        return "foreign" in self.question.topics


def read(path: Path) -> list[Row]:
    """The answers, in the order of the held-out questions."""
    judge = Judge(corpus.load())
    questions = {(q.ask, q.before): q for q in held_out()}
    by_ask = {ask: q for (ask, _), q in questions.items()}
    rows = []
    for line in path.read_text("utf-8").splitlines():
        data = json.loads(line)
        rows.append(Row(by_ask[data["ask"]], data["answer"], judge.verdict(data["answer"])))
    return rows


def shares(rows: list[Row]) -> dict[str, tuple[int, int]]:
    """How many of how many, for each goal."""
    home = [row for row in rows if not row.foreign]
    away = [row for row in rows if row.foreign]
    tongue = [row for row in rows if row.verdict.language == row.question.language]
    return {
        "right topic": (sum(row.right for row in home), len(home)),
        "right language": (len(tongue), len(rows)),
        "foreign topics declined": (sum(row.right for row in away), len(away)),
    }


def text(rows: list[Row], title: str) -> str:
    """The report as Markdown."""
    lines = [f"## {title}", "", "| | right | of | share | goal |", "|---|---|---|---|---|"]
    for name, (good, of) in shares(rows).items():
        lines.append(f"| {name} | {good} | {of} | {good / of:.1%} | {_GOALS[name]:.0%} |")
    for language in corpus.LANGUAGES:
        part = [r for r in rows if r.question.language == language and not r.foreign]
        good = sum(row.right for row in part)
        lines.append(f"| topic, {language} | {good} | {len(part)} | {good / len(part):.1%} | |")
    wrong = [row for row in rows if not row.right]
    tongue = [row for row in rows if row.verdict.language != row.question.language]
    lines += ["", "Confused:" if wrong else "Nothing confused.", ""]
    counts = Counter((row.question.topics[0], row.verdict.topic) for row in wrong)
    for (meant, got), _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        asks = "; ".join(
            f"“{row.question.ask}”"
            for row in wrong
            if (row.question.topics[0], row.verdict.topic) == (meant, got)
        )
        lines.append(f"- {meant} → {got}: {asks}")
    if tongue:
        lines += ["", "Wrong language: " + "; ".join(f"“{r.question.ask}”" for r in tongue)]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--title", default="Greedy")
    parser.add_argument("--out", type=Path, help="append to this file instead of printing")
    wish = parser.parse_args()
    report = text(read(wish.answers), wish.title)
    if wish.out:
        with wish.out.open("a", encoding="utf-8") as out:
            out.write("\n" + report)
    else:
        print(report)


if __name__ == "__main__":
    main()
