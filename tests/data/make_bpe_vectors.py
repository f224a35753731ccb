#!/usr/bin/env python3
"""Prints the reference values of tests/data/bpe_vectors_test.cpp: pip install tokenizers; python make_bpe_vectors.py"""
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

LEARN = "low lower lowest; the then there they're. Größe größer, 東京 東京都! 12 123 1234\n\n  x = x + 1;\n"
SHOW = [
    "the lowest Größe: 東京都に 12345",
    "for (x = 0;  x < 12; ++x) {\n\t\n    there'll  }\n ",
    "\U0001F642\u200d\U0001F1E9 \x01\x1b\x7f\u00a0\u3000\u0665\u00bd e\u0301",
    "low<|endoftext|>  <|endoftext|>low",
]
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(vocab_size=256 + 30, min_frequency=2, show_progress=False,
                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
tokenizer.train_from_iterator([LEARN], trainer)
tokenizer.add_special_tokens(["<|endoftext|>"])
for token in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])[256:]:
    print(token)
for text in SHOW:
    print(tokenizer.encode(text).ids)
