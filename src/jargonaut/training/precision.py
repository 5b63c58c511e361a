"""In which numbers training computes, by what the machine multiplies itself."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from jargonaut.core.errors import InputError

Numbers = Literal["fp32", "bf16", "fp16"]

_BF16_CAPABILITY = (8, 0)
_FP16_CAPABILITY = (5, 3)


@dataclass(frozen=True, slots=True)
class Precision:
    """Where and how products are computed. Parameters, moments and losses are float32 in every case."""

    device: str
    """`cpu` or `cuda`."""
    numbers: Numbers

    @property
    def is_scaled(self) -> bool:
        """Whether gradients need a scaler: fp16 has too small an exponent for them."""
        return self.numbers == "fp16"

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of a forward pass."""
        if self.numbers == "fp32":
            return nullcontext()
        import torch

        kind = torch.bfloat16 if self.numbers == "bf16" else torch.float16
        context: AbstractContextManager[Any] = torch.autocast(self.device, dtype=kind)
        return context


def best_precision(wanted: str = "auto") -> Precision:
    """What this machine is fastest in; or what was asked for, on its fastest device.

    bf16 on GPUs from Ampere on and CPUs with AMX or AVX-512 BF16; fp16 on older GPUs, such as the V100; else fp32.

    Raises:
        InputError: There is no such precision, or the device does not compute in it.
    """
    import torch

    if torch.cuda.is_available():
        device, capability = "cuda", torch.cuda.get_device_capability()
        able = [("bf16", capability >= _BF16_CAPABILITY), ("fp16", capability >= _FP16_CAPABILITY), ("fp32", True)]
    else:
        device = "cpu"
        able = [("bf16", cpu_precision().numbers == "bf16"), ("fp32", True)]
    names: list[Any] = [name for name, can in able if can]
    if wanted == "auto":
        return Precision(device, names[0])
    if wanted not in names:
        raise InputError(f"This machine's {device} does not train in `{wanted}`.", f"It can: {', '.join(names)}.")
    return Precision(device, wanted)  # type: ignore[arg-type]


def cpu_precision() -> Precision:
    """bf16 where the CPU multiplies it itself."""
    import torch

    has_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return Precision("cpu", "bf16" if has_bf16 else "fp32")
