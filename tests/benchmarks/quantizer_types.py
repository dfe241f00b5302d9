"""Our reckoning of the quantizer's types against llama.cpp's own dry run, for real shapes.

    python tests/benchmarks/quantizer_types.py        every shape, every type
    python tests/benchmarks/quantizer_types.py NAME   one shape, with what differs

Prints one JSON line.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.common.errors import EngineError
from desktop.engine.quantize import try_quantize
from desktop.gguf.quantizer import FILE_TYPE_NUMBERS, MAIN_TYPES, quantized_types
from desktop.gguf.reader import read_header
from desktop.gguf.tensor_types import TENSOR_TYPES
from tests.fit.real_shapes import made_up_shapes, shapes
from tests.gguf.quantizing import with_what_is_asked


def main() -> None:
    wanted = sys.argv[1:]
    every = {**shapes(), **made_up_shapes()}
    refused: dict[str, str] = {}
    tensors = wrong = files = 0
    for name, shape in every.items():
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = with_what_is_asked(shape).write(Path(folder) / "shape.gguf")
            header = read_header(path)
            try:
                answers = try_quantize(path, [FILE_TYPE_NUMBERS[kind] for kind in MAIN_TYPES])
            except EngineError as error:
                refused[name] = error.detail[-200:]
                continue
        for quantization, told in zip(MAIN_TYPES, answers, strict=True):
            ours = quantized_types(header, quantization)
            files += 1
            tensors += len(ours)
            for tensor in header.tensors:
                theirs = told.get(tensor.name, tensor.type_name).upper()
                mine = TENSOR_TYPES[ours[tensor.name]].name
                if theirs != mine:
                    wrong += 1
                    if wanted:
                        print(quantization, tensor.name, tensor.dims, theirs, mine, file=sys.stderr)
    document = {"files": files, "tensors": tensors, "wrong": wrong, "refused": refused}
    print(json.dumps(document))


if __name__ == "__main__":
    main()
