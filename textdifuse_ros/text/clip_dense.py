"""Patch features of a CLIP image tower that mean what the text features mean, patch by patch.

CLIP compares one vector an image with the text. Three changes to the last block of its ViT make every patch
comparable, without training: its output is the value path alone, without residual and MLP (MaskCLIP, Zhou
et al., ECCV 2022); attention runs from queries to queries and from keys to keys, so that a patch looks at
what is like itself (SCLIP, Wang et al., ECCV 2024); and a Gaussian of the distance is added to both, so that
it looks at its neighbours (NACLIP, Hajimiri et al., WACV 2025).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textdifuse_ros.text.localiser import LocaliserError

NEIGHBOURHOOD = 5.0  # standard deviation of the Gaussian in patches, as NACLIP publishes it


class DenseTower:
    """Wraps an open_clip VisionTransformer. Raises LocaliserError for another kind of image tower."""

    def __init__(self, visual: Any, name: str) -> None:
        blocks = getattr(getattr(visual, "transformer", None), "resblocks", None)
        last = getattr(blocks[-1] if blocks else None, "attn", None)
        pooled = getattr(visual, "attn_pool", None) is not None or getattr(visual, "proj", None) is None
        if not isinstance(last, nn.MultiheadAttention) or pooled:
            raise LocaliserError(
                f"localiser.model {name!r}: its image tower is no plain ViT; choose one like ViT-B-16"
            )
        self._visual = visual
        self.patch = int(visual.patch_size[0])
        self.side = int(min(visual.image_size))
        self._near: tuple[tuple[int, int], Tensor] | None = None

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tensor:
        """pixels: (N, 3, H, W), normalised as the model wants it, sides multiples of `patch`.

        Returns float32 (N, H / patch, W / patch, D), vectors of length 1 in the space of the text features.
        """
        visual = self._visual
        patches = visual.conv1(pixels.to(visual.conv1.weight.dtype))
        count, _, height, width = patches.shape
        tokens = patches.flatten(2).transpose(1, 2)
        first = visual.class_embedding.expand(count, 1, -1).to(tokens.dtype)
        tokens = torch.cat((first, tokens), dim=1) + self._positions(height, width).to(tokens.dtype)
        tokens = visual.ln_pre(tokens)
        *blocks, last = visual.transformer.resblocks
        for block in blocks:
            tokens = block(tokens)
        values = self._neighbour_attention(last, tokens[:, 1:], (height, width))
        features = (visual.ln_post(values) @ visual.proj).float()
        return F.normalize(features, dim=-1).unflatten(1, (height, width))

    def _positions(self, height: int, width: int) -> Tensor:
        """The trained position embedding, stretched to the grid: (1 + height * width, C)."""
        trained, grid = self._visual.positional_embedding, tuple(self._visual.grid_size)
        if grid == (height, width):
            return trained
        image = trained[1:].float().unflatten(0, grid).permute(2, 0, 1)[None]
        image = F.interpolate(image, (height, width), mode="bicubic", align_corners=False, antialias=True)
        return torch.cat((trained[:1].float(), image[0].flatten(1).T))

    def _neighbour_attention(self, block: Any, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """Output of the block's attention alone, without the class token: (N, L, C) to (N, L, C)."""
        attention = block.attn
        projected = F.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
        query, key, value = (
            each.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
            for each in projected.chunk(3, dim=-1)
        )
        near = self._neighbourhood(grid, tokens)
        # Attention is linear in its weights: the mean of both is the mean of two attentions.
        mixed = torch.lerp(
            F.scaled_dot_product_attention(query, query, value, near),
            F.scaled_dot_product_attention(key, key, value, near),
            0.5,
        )
        return attention.out_proj(mixed.transpose(1, 2).flatten(2))

    def _neighbourhood(self, grid: tuple[int, int], like: Tensor) -> Tensor:
        """What is added to the attention between any two patches: (L, L), 1 to itself, 0 far away."""
        if self._near is None or self._near[0] != grid:
            self._near = (grid, neighbourhood(*grid).to(like))
        return self._near[1]


def neighbourhood(height: int, width: int, deviation: float = NEIGHBOURHOOD) -> Tensor:
    """exp(-d^2 / (2 deviation^2)), d the distance in patches: float32 (height * width, height * width)."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack((rows.flatten(), columns.flatten()), dim=-1).float()
    squared = (places[:, None] - places[None]).pow(2).sum(dim=-1)
    return torch.exp(-squared / (2 * deviation**2))
