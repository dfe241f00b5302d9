"""Answers of the GGUF by llama.cpp: `python -m guide_model.ask_llama --model FILE --out FILE`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import llama_cpp

from guide_model import judge

_LIMIT = 200


def prompt(said: list[tuple[str, str]]) -> str:
    """ChatML, as the template in the file gives it."""
    turns = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in said)
    return turns + "<|im_start|>assistant\n"


def answer(model: llama_cpp.Llama, said: list[tuple[str, str]], temperature: float) -> str:
    ids = model.tokenize(prompt(said).encode(), add_bos=False, special=True)
    out: list[int] = []
    for token in model.generate(ids, temp=temperature, top_k=40, top_p=0.95, min_p=0.05):
        if token == model.token_eos() or len(out) >= _LIMIT:
            break
        out.append(token)
    text: str = model.detokenize(out).decode("utf-8", "replace")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--system", default="", help="a system prompt to put in front")
    wish = parser.parse_args()
    model = llama_cpp.Llama(
        str(wish.model), n_ctx=2048, n_threads=1, n_gpu_layers=0, seed=wish.seed, verbose=False
    )
    with wish.out.open("w", encoding="utf-8") as out:
        for question in judge.held_out():
            said = [("system", wish.system)] if wish.system else []
            for asked in (*question.before, question.ask):
                said.append(("user", asked))
                said.append(("assistant", answer(model, said, wish.temperature)))
            row = {"ask": question.ask, "answer": said[-1][1]}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
