"""What a full tuning minimises. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import kl_div, log_softmax, normalize, softmax

from jargonaut.training.batches import Batch


def batch_loss(
    questions: torch.Tensor,
    passages: torch.Tensor,
    batch: Batch,
    temperature: float,
    *,
    symmetric: bool,
    matryoshka: Sequence[int],
    distillation: float,
) -> torch.Tensor:
    """The mean loss of a batch.

    Args:
        questions: Unit vectors, shape (b, d).
        passages: Unit vectors, shape (u, d).
        batch: Which passage answers which question, and what may stand in a softmax.
        temperature: Of both softmaxes.
        symmetric: Whether passages look for their questions too (as in CLIP, Radford et al. 2021).
        matryoshka: Lengths at which cut vectors have to do the same (Kusupati et al. 2022), weighted alike.
        distillation: Weight of the divergence from the teacher's lists, where a batch has some.
    """
    total = _at(questions, passages, batch, temperature, symmetric, distillation)
    for length in matryoshka:
        cut = normalize(questions[:, :length], dim=-1), normalize(passages[:, :length], dim=-1)
        total = total + _at(*cut, batch, temperature, symmetric, distillation)
    return total / (1 + len(matryoshka))


def _at(
    questions: torch.Tensor,
    passages: torch.Tensor,
    batch: Batch,
    temperature: float,
    symmetric: bool,
    distillation: float,
) -> torch.Tensor:
    logits = questions @ passages.T / temperature
    loss = contrast(logits, batch, symmetric)
    teacher = torch.from_numpy(batch.teacher).to(logits.device)
    if distillation and not bool(torch.isnan(teacher).all()):
        loss = loss + distillation * divergence(logits, teacher)
    return loss


def contrast(logits: torch.Tensor, batch: Batch, symmetric: bool) -> torch.Tensor:
    """Cross-entropy of the answer among what is allowed (InfoNCE, van den Oord et al. 2018), shape ()."""
    allowed = torch.from_numpy(batch.allowed).to(logits.device)
    answer = torch.from_numpy(batch.answer).to(logits.device)
    own = logits[torch.arange(len(answer), device=logits.device), answer]
    loss = (torch.logsumexp(logits.masked_fill(~allowed, -torch.inf), dim=1) - own).mean()
    if not symmetric:
        return loss
    # Seen from the passage: of the questions that it is no answer to, and its own.
    among = logits[:, answer].masked_fill(~(allowed[:, answer] | _is_own(answer)), -torch.inf)
    return (loss + (torch.logsumexp(among, dim=0) - own).mean()) / 2


def _is_own(answer: torch.Tensor) -> torch.Tensor:
    return torch.eye(len(answer), dtype=torch.bool, device=answer.device)


def divergence(logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """KL divergence of the ranking over what was drawn from the teacher's lists, shape (); NaN marks the rest."""
    listed = ~torch.isnan(teacher)
    taught = listed.sum(1) > 1
    wanted = softmax(teacher.masked_fill(~listed, -torch.inf)[taught], dim=1)
    got = log_softmax(logits.masked_fill(~listed, -1e4)[taught], dim=1)
    return kl_div(got, wanted, reduction="batchmean")
