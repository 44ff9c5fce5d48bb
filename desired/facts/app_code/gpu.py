"""Whether an app needs a GPU: by libraries that run on nothing else, or by code that asks for one without a way out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from desired.facts.app_code.seen import LIKELY, DependencySeen, Seen, Sign, SignSeen
from desired.facts.fact import Fact

# torch, tensorflow, transformers run without one, too: they stand under sizes, not here.
_ONLY_GPU = re.compile(
    r"vllm|sglang|tensorflow-gpu|onnxruntime-gpu|faiss-gpu(?:-cu\d+)?|paddlepaddle-gpu|cupy-cuda\d+x?|cupy|flash-attn|xformers"
    r"|tensorrt(?:-llm)?|nvidia-dali-cuda\d+|auto-gptq|autoawq|exllamav2|deepspeed|cudf-cu\d+|cuml-cu\d+|pycuda"
    r"|nvidia-cuda-runtime-cu\d+|nvidia-cudnn-cu\d+|numba-cuda|bitsandbytes|tritonclient-cuda"
)


def gpu_need(seen: Iterable[Seen], *, extractor: str) -> Fact[int] | None:
    """One GPU, with what asks for it; None where nothing does."""
    for item in seen:
        if isinstance(item, DependencySeen) and item.dependency.ecosystem == "pypi":
            if _ONLY_GPU.fullmatch(item.dependency.name):
                return Fact(1, extractor, LIKELY, item.place, f"{item.dependency.name} needs a GPU")
        elif isinstance(item, SignSeen) and item.sign is Sign.CUDA:
            return Fact(1, extractor, LIKELY, item.place, "asks for CUDA")
    return None
