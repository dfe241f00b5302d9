"""Train the guide: `python -m guide_model.train --steps 3000`; run again to resume."""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor
from torch.nn import functional

from guide_model import bag, bpe, corpus, tokens
from guide_model.dialogue import Maker
from guide_model.model import Guide, Shape, parameters

_TOPIC_SHARE = 0.5
_POOL = 512
_LONGEST = 1400


def tokenizer_for(folder: Path, size: int, seed: int) -> bpe.Tokenizer:
    """The tokenizer in the folder, or a new one learnt from 60,000 chats."""
    path = folder / "tokenizer.json"
    if not path.exists():
        maker = Maker(corpus.load(), seed)
        texts = []
        for chat, _ in zip(maker.chats(), range(60_000), strict=False):
            texts += [chat.system, *(turn.asked for turn in chat.turns)]
        speeches = [s for t in maker.corpus.topics for s in t.speech.values()]
        texts += [a for s in speeches for a in (*s.answers, s.short)] * 30
        bpe.Tokenizer(bpe.learn(texts, size)).save(path)
    return bpe.Tokenizer.load(path)


def labels(book: corpus.Corpus) -> dict[str, int]:
    """A number for each topic in each language, for the helping loss."""
    names = [f"{speech}:{topic.id}" for topic in book.topics for speech in corpus.LANGUAGES]
    return {name: at for at, name in enumerate(names)}


def batches(
    tokenizer: bpe.Tokenizer, seed: int, size: int, *, easy: bool
) -> Iterator[tuple[list[tokens.Example], int]]:
    """Examples of like length together, about `size` tokens a batch."""
    rng = random.Random(seed)
    for chunk in _pools(Maker(corpus.load(), seed, easy=easy), tokenizer, rng):
        chunk.sort(key=lambda example: len(example.ids))
        ready: list[list[tokens.Example]] = [[]]
        for example in chunk:
            if (len(ready[-1]) + 1) * len(example.ids) > size:
                ready.append([])
            ready[-1].append(example)
        rng.shuffle(ready)
        yield from ((batch, max(len(e.ids) for e in batch)) for batch in ready if batch)


def _pools(
    maker: Maker, tokenizer: bpe.Tokenizer, rng: random.Random
) -> Iterator[list[tokens.Example]]:
    pool: list[tokens.Example] = []
    for chat in maker.chats():
        made = tokens.example(chat, tokenizer, rng, easy=maker.easy)
        if len(made.ids) <= _LONGEST:
            pool.append(made)
        if len(pool) >= _POOL:
            yield pool
            pool = []


def losses(
    model: Guide, batch: list[tokens.Example], longest: int, pad: int, numbers: dict[str, int]
) -> tuple[Tensor, Tensor, int]:
    """Next-token loss over the answers, loss of the topic's name, and tokens learnt from."""
    ids = torch.full((len(batch), longest), pad)
    rows: list[int] = []
    places: list[int] = []
    topic_rows: list[int] = []
    topic_places: list[int] = []
    topic_ids: list[int] = []
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        for begin, finish in example.learn:
            rows += [row] * (finish - begin)
            places += range(begin - 1, finish - 1)
        for place, name in example.topics:
            topic_rows.append(row)
            topic_places.append(place)
            topic_ids.append(numbers[name])
    row_ids, place_ids = torch.tensor(rows), torch.tensor(places)
    with torch.autocast("cpu", torch.bfloat16):
        states = model.hidden(ids)
        wanted = ids[row_ids, place_ids + 1]
        text_loss = functional.cross_entropy(
            model.logits(states[row_ids, place_ids]).float(), wanted
        )
        guess = model.topic(states[torch.tensor(topic_rows), torch.tensor(topic_places)])
        topic_loss = functional.cross_entropy(guess.float(), torch.tensor(topic_ids))
    return text_loss, topic_loss, sum(len(example.ids) for example in batch)


def rate(step: int, steps: int) -> float:
    """Warm up, hold, fall over the last 60 percent."""
    if step < 40:
        return (step + 1) / 40
    part = max(0.0, (step / steps - 0.4) / 0.6)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, part)))


def optimizers(model: Guide, speed: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside, AdamW for the rest, at a third of the speed."""
    inside = [p for name, p in model.named_parameters() if p.dim() == 2 and "layers" in name]
    known = {id(p) for p in inside}
    rest = [p for p in model.parameters() if id(p) not in known]
    return [
        torch.optim.Muon(inside, lr=speed, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=speed / 3, betas=(0.9, 0.95), weight_decay=0.01),
    ]


def save(folder: Path, model: Guide, tools: list[torch.optim.Optimizer], course: Course) -> None:
    """Weights, optimizers and where we are; written beside and moved into place."""
    part = folder / "checkpoint.part"
    torch.save(
        {
            "shape": asdict(model.shape),
            "topics": model.topic.out_features,
            "weights": model.state_dict(),
            "tools": [tool.state_dict() for tool in tools],
            "state": asdict(course),
        },
        part,
    )
    part.replace(folder / "checkpoint.pt")


def load_model(folder: Path) -> Guide:
    """The model of the last checkpoint, ready to answer."""
    data = torch.load(folder / "checkpoint.pt", weights_only=True)
    model = Guide(Shape(**data["shape"]), data["topics"])
    model.load_state_dict(data["weights"])
    model.eval()
    return model


@dataclass(slots=True)
class Course:
    """How far the training is."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def share_gradients(model: Guide, workers: int, *, late: bool) -> bool:
    """Average the gradients over the workers; True if any of them wants to stop."""
    if workers == 1:
        return late
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads] + [torch.tensor([float(late)])])
    dist.all_reduce(flat)
    at = 0
    for grad in grads:
        grad.copy_(flat[at : at + grad.numel()].view_as(grad) / workers)
        at += grad.numel()
    return bool(flat[-1] > 0)


def fresh_model(
    tokenizer: bpe.Tokenizer, numbers: dict[str, int], wish: argparse.Namespace
) -> Guide:
    """A model whose embeddings know words already: from the folder `--warm`, or from a bag."""
    model = Guide(Shape(vocabulary=len(tokenizer.tokens)), len(numbers), dropout=0.1)
    if wish.warm:
        old = load_model(wish.warm).state_dict()
        if old["topic.weight"].shape != model.topic.weight.shape:
            del old["topic.weight"]
        model.load_state_dict(old, strict=False)
        return model
    maker = Maker(corpus.load(), wish.seed + 500)
    learnt = bag.learn(maker, tokenizer, numbers, model.shape.width, wish.bag)
    bag.plant(learnt, model)
    return model


def train(rank: int, wish: argparse.Namespace) -> None:
    """One worker; all see the same weights and other chats. The first one keeps the books."""
    torch.manual_seed(wish.seed)
    torch.set_num_threads(1)
    if wish.workers > 1:
        meet = (wish.folder / "meet").absolute()
        dist.init_process_group(
            "gloo", init_method=f"file://{meet}", rank=rank, world_size=wish.workers
        )
    tokenizer = bpe.Tokenizer.load(wish.folder / "tokenizer.json")
    numbers = labels(corpus.load())
    data = torch.load(wish.folder / "checkpoint.pt", weights_only=True)
    model = Guide(Shape(**data["shape"]), data["topics"], dropout=0.1)
    model.load_state_dict(data["weights"])
    tools = optimizers(model, wish.speed)
    for tool, old in zip(tools, data["tools"], strict=False):
        tool.load_state_dict(old)
    course = Course(**data["state"])
    if rank == 0:
        print(f"{parameters(model):,} parameters, {len(numbers)} labels", flush=True)
    torch.manual_seed(wish.seed + course.step * 31 + rank)
    _run(model, tools, tokenizer, numbers, course, wish, rank)


def _run(
    model: Guide,
    tools: list[torch.optim.Optimizer],
    tokenizer: bpe.Tokenizer,
    numbers: dict[str, int],
    course: Course,
    wish: argparse.Namespace,
    rank: int,
) -> None:
    """The loop; a line every 20 steps, a checkpoint every 50."""
    began, before = time.monotonic(), course.seconds
    seen: list[tuple[float, float]] = []
    model.train()
    stream: Iterator[tuple[list[tokens.Example], int]] | None = None
    easy, late = True, False
    while course.step < wish.steps and not late:
        if stream is None or (easy and course.step >= wish.easy * wish.steps):
            easy = course.step < wish.easy * wish.steps
            seed = wish.seed + 1000 + course.step * 10 + rank
            stream = batches(tokenizer, seed, wish.batch, easy=easy)
        batch, longest = next(stream)
        for tool, speed in zip(tools, (wish.speed, wish.speed / 3), strict=True):
            for group in tool.param_groups:
                group["lr"] = speed * rate(course.step, wish.steps)
        text_loss, topic_loss, count = losses(model, batch, longest, tokenizer.pad, numbers)
        (text_loss + _TOPIC_SHARE * topic_loss).backward()
        late = share_gradients(
            model, wish.workers, late=course.seconds - before > wish.minutes * 60
        )
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for tool in tools:
            tool.step()
            tool.zero_grad(set_to_none=True)
        seen.append((text_loss.item(), topic_loss.item()))
        course.step += 1
        course.tokens += count * wish.workers
        course.seconds = before + time.monotonic() - began
        if rank:
            continue
        if course.step % 20 == 0:
            means = [round(sum(pair[at] for pair in seen) / len(seen), 4) for at in (0, 1)]
            seen.clear()
            print(json.dumps(asdict(course) | {"text": means[0], "topic": means[1]}), flush=True)
        if late or course.step % 50 == 0 or course.step == wish.steps:
            save(wish.folder, model, tools, course)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/guide"))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--easy", type=float, default=0.3, help="share of steps on single turns")
    parser.add_argument("--bag", type=int, default=400, help="steps of the bag of words")
    parser.add_argument("--batch", type=int, default=4096, help="tokens in a worker's batch")
    parser.add_argument("--vocabulary", type=int, default=4096)
    parser.add_argument("--speed", type=float, default=6e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop and save after this")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--warm", type=Path, help="start from the weights of this folder")
    wish = parser.parse_args()
    wish.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(wish.seed)
    torch.set_num_threads(1)
    tokenizer = tokenizer_for(wish.folder, wish.vocabulary, wish.seed)
    if not (wish.folder / "checkpoint.pt").exists():
        model = fresh_model(tokenizer, labels(corpus.load()), wish)
        save(wish.folder, model, [], Course())
    (wish.folder / "meet").unlink(missing_ok=True)
    if wish.workers > 1:
        mp.spawn(train, (wish,), nprocs=wish.workers)
    else:
        train(0, wish)


if __name__ == "__main__":
    main()
