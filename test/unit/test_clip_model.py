"""CLIP models of open_clip: read from folders and files, their patch features, and their way into the fusion.

The models are tiny and random: nothing here says how well real weights locate.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from textdifuse_ros.text import clip_import
from textdifuse_ros.text.clip_dense import DenseTower, neighbourhood
from textdifuse_ros.text.clip_import import import_open_clip
from textdifuse_ros.text.localiser import LocaliserError

try:
    open_clip: Any = import_open_clip()
except LocaliserError as error:
    pytest.skip(str(error), allow_module_level=True)

from command_line import load, save, scene, textdifuse

from textdifuse_ros.fuser import Fuser
from textdifuse_ros.text.clip_model import TEMPLATES, load_clip

REPOSITORY = Path(__file__).resolve().parents[2]
PATCH = 8
CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 3, "width": 32, "head_width": 8, "patch_size": PATCH},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as the hub has them: a configuration and weights."""
    torch.manual_seed(1)
    model = open_clip.CLIP(**json.loads(json.dumps(CONFIG)))
    for parameter in model.visual.parameters():  # nothing at zero or one: every part counts
        torch.nn.init.normal_(parameter, std=0.3)
    torch.nn.init.constant_(model.ln_final.weight, 0.02)  # all texts alike, so that no share of one is 0 or 1
    torch.nn.init.normal_(model.ln_final.bias)
    place = tmp_path_factory.mktemp("tiny clip")
    preprocess = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.25]}
    (place / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": CONFIG, "preprocess_cfg": preprocess})
    )
    save_file(model.state_dict(), str(place / "open_clip_model.safetensors"))
    return place


def pixels(height: int = 40, width: int = 56) -> torch.Tensor:
    return torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(2))


# -- patch features --------------------


def reference(visual: Any, images: torch.Tensor) -> torch.Tensor:
    """The same features by the definitions, head by head and patch by patch."""
    patches = visual.conv1(images)
    height, width = patches.shape[2:]
    tokens = torch.cat((visual.class_embedding.expand(len(images), 1, -1), patches.flatten(2).mT), dim=1)
    x = visual.ln_pre(tokens + visual.positional_embedding)
    for block in visual.transformer.resblocks[:-1]:
        x = block(x)
    block = visual.transformer.resblocks[-1]
    attention, heads = block.attn, block.attn.num_heads
    q, k, v = (block.ln_1(x[:, 1:]) @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, dim=-1)
    size = q.shape[-1] // heads
    places = [(row, column) for row in range(height) for column in range(width)]
    near = torch.tensor([[np.exp(-((a - c) ** 2 + (b - d) ** 2) / 50) for c, d in places] for a, b in places])
    out = torch.zeros_like(v)
    for n in range(len(images)):
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            for each in (q, k):
                logits = each[n, :, part] @ each[n, :, part].T / size**0.5 + near.float()
                out[n, :, part] += torch.softmax(logits, dim=-1) @ v[n, :, part] / 2
    features = visual.ln_post(attention.out_proj(out)) @ visual.proj
    features = features / features.norm(dim=-1, keepdim=True)
    return features.reshape(len(images), height, width, -1)


def test_patch_features_are_those_of_the_published_changes(folder: Path) -> None:
    visual = load_clip(str(folder), "")._model.visual
    images = pixels(32, 32)  # the size that it was made for: positions as they are
    found = DenseTower(visual, "tiny")(images)
    assert found.shape == (2, 4, 4, 16) and found.dtype == torch.float32
    torch.testing.assert_close(found, reference(visual, images), atol=1e-4, rtol=1e-3)


def test_any_grid_keeps_its_shape_and_every_vector_has_length_one(folder: Path) -> None:
    tower = load_clip(str(folder), "").tower
    found = tower(pixels())
    assert found.shape == (2, 5, 7, 16)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(2, 5, 7))
    assert torch.equal(tower(pixels()), found)


def test_neighbours_count_by_their_distance() -> None:
    near = neighbourhood(3, 4)
    assert near.shape == (12, 12) and torch.equal(near, near.T)
    assert torch.equal(near.diagonal(), torch.ones(12))
    assert near[0, 1] == pytest.approx(np.exp(-1 / 50)) and near[0, 11] == pytest.approx(np.exp(-13 / 50))


def test_a_patch_speaks_for_itself_where_the_whole_image_does_not(folder: Path) -> None:
    """A tower made by hand, whose value path hands a patch's colour on: the map shows where the colour is."""
    visual = load_clip(str(folder), "")._model.visual
    with torch.no_grad():
        for parameter in visual.parameters():
            parameter.zero_()
        for norm in (visual.ln_pre, visual.ln_post, *(b.ln_1 for b in visual.transformer.resblocks)):
            norm.weight.fill_(1.0)
        for channel in range(3):
            visual.conv1.weight[channel, channel] = 1 / PATCH**2
        attention = visual.transformer.resblocks[-1].attn
        attention.in_proj_weight.copy_(
            torch.eye(32).repeat(3, 1) * torch.tensor([3.0, 3.0, 1.0]).repeat_interleave(32)[:, None]
        )
        attention.out_proj.weight.copy_(torch.eye(32))
        visual.proj.copy_(torch.eye(32)[:, :16])
    image = torch.zeros(1, 3, 40, 48)
    image[:, 2] = 1.0
    image[:, :, 8:24, 16:32] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    tower = DenseTower(visual, "by hand")
    red = torch.zeros(1, 3, 40, 48)
    red[:, 0] = 1.0
    share = torch.softmax(
        40 * tower(image)[0] @ torch.stack((tower(red)[0, 2, 2], tower(red.flip(1))[0, 2, 2])).T, -1
    )
    expected = torch.zeros(5, 6)
    expected[1:3, 2:4] = 1.0
    assert torch.equal((share[..., 0] > 0.5).float(), expected)


# -- reading models --------------------


def test_words_are_means_over_templates_of_length_one(folder: Path) -> None:
    model = load_clip(str(folder), "")
    assert (model.mean, model.deviation) == ((0.5, 0.4, 0.3), (0.2, 0.3, 0.25))
    found = model.words(("a red car", "sky"))
    assert found.shape == (2, 16) and found.dtype == torch.float32
    tokens = open_clip.get_tokenizer("ViT-B-16")([template.format("sky") for template in TEMPLATES])
    with torch.inference_mode():
        each = torch.nn.functional.normalize(model._model.encode_text(tokens), dim=-1).mean(dim=0)
    torch.testing.assert_close(found[1], each / each.norm(), atol=1e-5, rtol=1e-4)


def test_a_model_by_name_takes_weights_from_a_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny-test.json").write_text(json.dumps(CONFIG))
    open_clip.add_model_config(tmp_path / "tiny-test.json")
    from_folder = load_clip(str(folder), "").words(("sky",))
    weights = folder / "open_clip_model.safetensors"
    assert torch.equal(load_clip("tiny-test", str(weights)).words(("sky",)), from_folder)
    (tmp_path / "tiny-other.json").write_text(json.dumps({**CONFIG, "embed_dim": 8}))
    open_clip.add_model_config(tmp_path / "tiny-other.json")
    with pytest.raises(LocaliserError, match=r"localiser.model tiny-other with .* cannot be loaded: "):
        load_clip("tiny-other", str(weights))


def test_half_precision_sees_the_same(folder: Path) -> None:
    whole, half = (load_clip(str(folder), "", dtype=dtype).tower(pixels()) for dtype in ("fp32", "bf16"))
    assert half.dtype == torch.float32
    assert (whole * half).sum(dim=-1).min() > 0.98


@pytest.mark.parametrize(
    ("model", "weights", "words"),
    [
        ("ViT-B-61", "openai", ["'ViT-B-61' is neither a folder nor a name of open_clip", "'ViT-B-16'"]),
        ("RN50", "openai", ["'RN50'", "no plain ViT", "ViT-B-16"]),
        ("coca_ViT-B-32", "x", ["'x' is neither a file nor a tag"]),
        ("ViT-B-16", "moon", ["localiser.weights 'moon' is neither a file nor a tag for ViT-B-16", "openai"]),
        ("{folder}/..", "", ["holds no open_clip_config.json"]),
        ("{pickles}", "", ["holds no .safetensors file"]),
        ("ViT-B-16", "{pickles}/model.pt", ["model.pt", "give a .safetensors file"]),
        ("{pickles}/bad", "", ["bad"]),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_had_is_named_in_one_line(
    folder: Path, tmp_path: Path, model: str, weights: str, words: list[str]
) -> None:
    shutil.copy(folder / "open_clip_config.json", tmp_path)
    (tmp_path / "model.pt").write_bytes(b"pickle")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "open_clip_config.json").write_text("{")
    (tmp_path / "bad" / "model.safetensors").write_bytes(b"")
    places = {"folder": folder, "pickles": tmp_path}
    with pytest.raises(LocaliserError) as caught:
        load_clip(model.format(**places), weights.format(**places))
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_weights_that_are_not_here_come_with_the_command_that_fetches_them(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def offline(*_: object, **__: object) -> str:
        raise FileNotFoundError("no connection\nand more of it")

    monkeypatch.setattr("open_clip.factory.download_pretrained", offline)
    with pytest.raises(LocaliserError) as caught:
        load_clip("ViT-B-16", "laion2b_s34b_b88k")
    command = (
        "run `hf download laion/CLIP-ViT-B-16-laion2B-s34B-b88K open_clip_config.json "
        "open_clip_model.safetensors --local-dir ViT-B-16`, and set localiser.model to that folder"
    )
    assert command in str(caught.value)
    assert capfd.readouterr() == ("", "")  # the reason is given once, by whoever asked


# -- in the fusion --------------------


def test_the_fused_image_and_its_salience_follow_the_model(folder: Path) -> None:
    rgb, thermal = scene()[0][..., ::-1].copy(), scene()[1]
    options = {"model": str(folder)}
    fuser = Fuser(device="cpu", dtype="fp32", localiser="clip", localiser_options=options)
    text = "a red car*2, keep the night look, brighten the person"
    first = fuser.fuse(rgb, thermal, text)
    again = Fuser(device="cpu", dtype="fp32", localiser="clip", localiser_options=options)
    second = again.fuse(rgb, thermal, again.compile_prompt(text))
    assert np.array_equal(first.image, second.image) and np.array_equal(first.salience, second.salience)
    assert first.salience is not None and first.salience.any()
    without = fuser.fuse(rgb, thermal).image
    assert np.array_equal(fuser.fuse(rgb, thermal, text, strength=0.0).image, without)
    assert not np.array_equal(first.image, without)
    again.close()


def test_the_command_takes_a_model_and_refuses_one_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    colour, thermal = scene()
    rgb, heat = save(tmp_path / "rgb.png", colour), save(tmp_path / "thermal.png", thermal)
    common = (
        "fuse", "--rgb", rgb, "--thermal", heat, "--threads", 1, "--prompt", "a red car", "--salience",
        tmp_path / "map.png", "--output", tmp_path / "o.png", "--localiser", "clip", "--localiser-model",
    )  # fmt: skip
    done = textdifuse(*common, folder)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert load(tmp_path / "map.png").any()
    refused = textdifuse(*common, folder / "nowhere")
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert "is neither a folder nor a name of open_clip" in refused.stderr


# -- torchvision --------------------

PROBE = """
import sys
from textdifuse_ros.text.clip_import import import_open_clip
open_clip = import_open_clip()
from open_clip.transform import Normalize
print(Normalize.__module__, "torchvision" in sys.modules, sys.modules.get("timm"))
try:
    import torchvision
    print(torchvision.__version__)
except RuntimeError as error:
    print(error)
"""


def probe(tmp_path: Path, torchvision: str) -> list[str]:
    """What the import does beside a torchvision of this kind, in a process of its own."""
    (tmp_path / "torchvision" / "transforms").mkdir(parents=True)
    (tmp_path / "torchvision" / "ops").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(torchvision)
    classes = "".join(f"class {name}: pass\n" for name in clip_import.STAND_IN["torchvision.transforms"])
    (tmp_path / "torchvision" / "transforms" / "__init__.py").write_text(
        f"{classes}class InterpolationMode: BICUBIC = BILINEAR = NEAREST = None\n"
    )
    (tmp_path / "torchvision" / "transforms" / "functional.py").write_text("")
    (tmp_path / "torchvision" / "ops" / "__init__.py").write_text("")
    (tmp_path / "torchvision" / "ops" / "misc.py").write_text("class FrozenBatchNorm2d: pass\n")
    (tmp_path / "timm.py").write_text("raise ImportError('left out')\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        env=environment,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_torchvision_that_does_not_fit_torch_is_stood_in_for_and_left_as_it_was(tmp_path: Path) -> None:
    reason = "operator torchvision::nms does not exist"
    lines = probe(tmp_path, f"raise RuntimeError({reason!r})\n")
    assert lines == ["textdifuse_ros.text.clip_import False None", reason]


def test_a_torchvision_that_works_is_used(tmp_path: Path) -> None:
    lines = probe(tmp_path, "__version__ = '1.2.3'\n")
    assert lines == ["torchvision.transforms True None", "1.2.3"]


def test_the_torchvision_of_this_machine_is_as_it_was(folder: Path) -> None:
    """Whichever it is: open_clip is in use, and nothing of a stand-in is left."""
    assert load_clip(str(folder), "").words(("sky",)).shape == (1, 16)
    module = sys.modules.get("torchvision")
    assert module is None or hasattr(module, "__version__")
