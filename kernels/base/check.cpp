#include "kernels/base/check.hpp"

namespace moe {

void fail_check(const char* expression, const char* file, int line, const std::string& message) {
  throw Error(concat(file, ":", line, ": check failed: ", expression, message.empty() ? "" : ": ", message));
}

}  // namespace moe
