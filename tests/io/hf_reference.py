#!/usr/bin/env python3
"""Models with random weights by PyTorch and transformers, and the logits that these compute.

  hf_reference.py make tests/io/hf                 the vectors that hf_logits_test.cpp reads; same versions, same bytes
  hf_reference.py check bin/moe bin/io_tests       larger models, through `moe convert` and back into transformers:
                                                   its logits before and after, and ours. More
                                                   arguments, LAYOUT=RUN: checkpoints of ours, too

pip install torch transformers safetensors
"""
import os
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import save_file

SMALL = dict(vocab_size=61, hidden_size=16, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=32, bos_token_id=None, eos_token_id=None, pad_token_id=None)
LARGE = dict(SMALL, vocab_size=1009, hidden_size=192, intermediate_size=160, num_hidden_layers=4, num_attention_heads=12,
             num_key_value_heads=4, max_position_embeddings=256)
# name: model, what differs from the sizes above, dtype and largest file of the checkpoint
CASES = {
    "mixtral_sharded": ("Mixtral", dict(num_local_experts=4, num_experts_per_tok=2, head_dim=6, rope_theta=500.0),
                        torch.float32, "12KB"),
    "mixtral_tied_bf16": ("Mixtral", dict(num_local_experts=5, num_experts_per_tok=3, tie_word_embeddings=True),
                          torch.bfloat16, "5GB"),
    "olmoe_sharded": ("Olmoe", dict(num_experts=4, num_experts_per_tok=2, rms_norm_eps=1e-2), torch.float32, "12KB"),
    "olmoe_renormalised_f16": ("Olmoe", dict(num_experts=5, num_experts_per_tok=3, norm_topk_prob=True), torch.float16,
                               "5GB"),
    "llama": ("Llama", dict(head_dim=6), torch.float32, "5GB"),
}


def random_model(family, settings, seed):
    """Weights large enough that every part is seen in the logits; norms that are not one."""
    config = getattr(transformers, family + "Config")(**settings)
    model = getattr(transformers, family + "ForCausalLM")(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if p.dim() == 1:
                p.copy_(1 + 0.3 * noise)
            else:
                p.copy_((4 if "embed" in name else 1.5) * noise / p.shape[-1] ** 0.5)
    return model


def load(directory):
    return transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()


def ids_for(config, sequences=2, length=11):
    return torch.randint(config.vocab_size, (sequences, length), generator=torch.Generator().manual_seed(9))


def logits_of(model, ids):
    with torch.no_grad():
        return model(ids, use_cache=False).logits.float()


def save_expected(directory, ids, logits):
    save_file({"ids": ids.to(torch.int32).contiguous(), "logits": logits.contiguous()},
              os.path.join(directory, "expected.safetensors"))


def make(directory, sizes):
    for seed, (name, (family, settings, dtype, shard)) in enumerate(CASES.items()):
        path = os.path.join(directory, name)
        random_model(family, dict(sizes, **settings), seed).to(dtype).save_pretrained(path, max_shard_size=shard)
        os.remove(os.path.join(path, "generation_config.json"))
        model = load(path)
        ids = ids_for(model.config)
        save_expected(path, ids, logits_of(model, ids))


def convert(program, source, target, layout, *more):
    subprocess.run([program, "convert", "--from", source, "--to", target, "--layout", layout, *more], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def exported(program, source, target, layout, *more):
    """Converts, loads the result in transformers and leaves the logits there. Returns them."""
    convert(program, source, target, layout, *more)
    model, loading = transformers.AutoModelForCausalLM.from_pretrained(target, dtype=torch.float32,
                                                                       output_loading_info=True)
    problems = {key: value for key, value in loading.items() if value}
    assert not problems, problems
    ids = ids_for(model.config)
    logits = logits_of(model.eval(), ids)
    save_expected(target, ids, logits)
    return logits


def check(program, tests, runs):
    with tempfile.TemporaryDirectory() as work:
        made, vectors = os.path.join(work, "made"), os.path.join(work, "vectors")
        make(made, LARGE)
        os.rename(made, vectors)
        for name, (family, _, _, _) in CASES.items():
            source, layout = os.path.join(vectors, name), family.lower()
            before = logits_of(load(source), ids_for(load(source).config))
            for title, more in {"whole_f32": ["--dtype", "f32"], "sharded": ["--shard-size", "1MB"],
                                "bf16": ["--dtype", "bf16"]}.items():
                after = exported(program, source, os.path.join(vectors, name + "_" + title), layout, *more)
                print(f"{name} → {title}: logits up to {before.abs().max():.3g}, largest difference "
                      f"{(after - before).abs().max():.3g}")
                assert title == "bf16" or torch.equal(before, after)
            ours = os.path.join(work, "ours_" + name)
            convert(program, source, ours, "moe")
            after = exported(program, ours, os.path.join(vectors, name + "_through_ours"), layout)
            assert torch.equal(before, after)
        for i, run in enumerate(runs):
            layout, _, path = run.rpartition("=")
            exported(program, path, os.path.join(vectors, f"run_{i}"), layout or "mixtral")
        print("transformers", transformers.__version__, "torch", torch.__version__)
        subprocess.run([tests, "--gtest_filter=HfLogits.*"], check=True, env=dict(os.environ, MOE_HF_VECTORS=vectors))


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make(sys.argv[2], SMALL)
    elif sys.argv[1:2] == ["check"]:
        check(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        sys.exit(__doc__)
