"""The checkpoint's answers to the held-out questions: `python -m guide_model.ask_torch`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from guide_model import judge, tokens
from guide_model.bpe import Tokenizer
from guide_model.train import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/guide"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="ask only each n-th question")
    wish = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_model(wish.folder), Tokenizer.load(wish.folder / "tokenizer.json")
    with wish.out.open("w", encoding="utf-8") as out:
        for question in judge.held_out()[:: wish.every]:
            said: list[tuple[str, str]] = []
            for asked in (*question.before, question.ask):
                said.append(("user", asked))
                ids = model.continue_greedily(tokens.prompt(tokenizer, said), tokenizer.stop)
                said.append(("assistant", tokenizer.decode(ids)))
            row = {"ask": question.ask, "answer": said[-1][1]}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
