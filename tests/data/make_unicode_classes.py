#!/usr/bin/env python3
"""Prints the tables of common/data/unicode_class.cpp: pip install tokenizers; python make_unicode_classes.py

Asks the regular expressions of Hugging Face's tokenizers about every code point, so the classes are those of its
ByteLevel pre-tokenizer. Most scripts lie densely: a range is written as the hexadecimal numbers FIRST, LAST.
"""
from tokenizers import Regex, pre_tokenizers


def ranges(pattern):
    probe = pre_tokenizers.Split(Regex(pattern), "removed")
    found = []
    for code in range(0x80, 0x110000):  # ASCII has a rule
        if 0xD800 <= code < 0xE000 or probe.pre_tokenize_str(chr(code)):
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


for name, pattern in (("kLetters", r"\p{L}"), ("kNumbers", r"\p{N}"), ("kSpaces", r"\s")):
    rows = ", ".join("{0x%X, 0x%X}" % tuple(r) for r in ranges(pattern))
    print("constexpr Interval %s[] = {%s};" % (name, rows))
