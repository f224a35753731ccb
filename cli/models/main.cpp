// What works on models and tokenizers that lie in files: `moe generate`, `moe convert`, `moe tokenizer`.
#include "common/app/main.hpp"
#include "cli/commands.hpp"
#include "cli/models/models.hpp"

int main(int argc, char** argv) {
  constexpr moe::CommandRow kRows[] = {
      {"generate", moe::generate_main}, {"convert", moe::convert_main}, {"tokenizer", moe::tokenizer_main}};
  return moe::run_main([&] { return moe::run_command(kRows, argc, argv); });
}
