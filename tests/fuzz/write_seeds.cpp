// fuzz_seeds FOLDER: writes every target's seeds as FOLDER/TARGET/seed-0, ...
#include <filesystem>

#include "common/app/main.hpp"
#include "common/io/file.hpp"
#include "tests/fuzz/targets.hpp"

int main(int argc, char** argv) {
  return moe::run_main([&] {
    MOE_CHECK(argc == 2, "fuzz_seeds FOLDER");
    for (const moe::fuzz::Target& target : moe::fuzz::targets()) {
      const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
      std::filesystem::create_directories(folder);
      int number = 0;
      for (const std::string& seed : target.seeds()) {
        moe::FileWriter file(folder / moe::concat("seed-", number++), moe::FileWriter::Existing::replace);
        file.write(seed);
        file.close();
      }
    }
    return 0;
  });
}
