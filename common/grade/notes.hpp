// What a device noted of an answer's kernels, on its way from worker to grader to verdict: names and values.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace moe::grade {

using Notes =
    std::vector<std::pair<std::string, std::string>>;  // "global memory", "4.0 sectors a request, ..."

std::string to_text(const Notes& notes);     // "name\tvalue\n" each
Notes parse_notes(const std::string& text);  // lines without a tab are left out

}  // namespace moe::grade
