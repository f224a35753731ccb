#include "tests/fuzz/targets.hpp"

#include "kernels/base/check.hpp"

namespace moe::fuzz {

std::span<const Target> targets() {
  static constexpr Target kTargets[] = {{"safetensors", run_safetensors, safetensors_seeds},
                                        {"tokenizer", run_tokenizer, tokenizer_seeds},
                                        {"config", run_config, config_seeds}};
  return kTargets;
}

const Target& find_target(std::string_view name) {
  for (const Target& target : targets())
    if (target.name == name) return target;
  throw Error(concat("no fuzz target ", name));
}

bool survives(const Target& target, std::string_view input) {
  try {
    return target.run(input);
  } catch (const UserError& error) {
    if (error.code() != ExitCode::bad_file) throw;
    return false;
  }
}

}  // namespace moe::fuzz
