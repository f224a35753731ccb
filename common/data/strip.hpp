// From what a package's file holds to the text a model should learn: one small function a source. They take a
// whole file, keep the order of what they keep, and accept any bytes.
#pragma once

#include <string>
#include <string_view>

namespace moe {

using StripFunction = std::string(std::string_view text);

// As it is.
std::string keep_all(std::string_view text);

// C++ source without the comments and blank lines before its first line of code. The licence stands there,
// the same in every file: left in, it would be learnt by heart from some files and "predicted" in the
// held-out ones.
std::string strip_leading_comments(std::string_view source);

// WordNet's data.*: one synset a line, its definition and examples after " | ". Without the bar (the licence
// lines, which start with spaces) a line is dropped.
std::string strip_to_gloss(std::string_view data);

// "Ge1:1 In the beginning ..." -> "In the beginning ..."
std::string strip_verse_reference(std::string_view verses);

// A book laid out for an 80-column terminal (Debian Reference): drops rules, borders and tables of contents,
// the indentation of the body and runs of blank lines. Of a table it keeps the last column, where the
// sentences are: the others hold package names and numbers, which are the same in every translation of the
// book.
std::string strip_layout(std::string_view book);

}  // namespace moe
