// The grader's program; its checks are the exercises' checks.cpp.
#include "common/app/main.hpp"
#include "common/grade/grader_main.hpp"

int main(int argc, char** argv) {
  return moe::run_main([&] { return moe::grade::grader_main(argc, argv); });
}
