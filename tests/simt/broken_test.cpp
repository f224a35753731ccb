// Each broken kernel is found on the checked device, at the right line; the same kernel without its mistake raises no alarm.
#include <fstream>

#include "tests/simt/broken/broken.hpp"
#include "tests/simt/support.hpp"
#include "tests/support/on_device.hpp"

#ifdef MOE_HAVE_CHECKED

namespace moe {
namespace {

using namespace testing;

constexpr std::int64_t kN = 200, kBins = 16;

struct Memory {
  explicit Memory(Context& ctx)
      : y(ctx, kN), x(ctx, random_normal<float>(kN, 1)), count(ctx, kBins), key(ctx, keys()) {}
  static std::vector<std::int32_t> keys() {
    std::vector<std::int32_t> key = random_integers<std::int32_t>(kN, kBins, 2);
    for (std::int32_t& k : key) k &= kBins - 1;
    return key;
  }
  Operands operands() { return {y, x, count, key, kN, kBins}; }

  OnDevice<float> y, x;
  OnDevice<std::int32_t> count, key;
};

// "missing_barrier.cu:10": the line of broken/<name>.cu that ends in the marker.
std::string place_of(const std::string& name, const std::string& marker) {
  const std::string file = name + ".cu";
  std::ifstream source(std::string(MOE_BROKEN_KERNELS) + "/" + file);
  std::string text;
  for (int line = 1; std::getline(source, text); ++line)
    if (text.ends_with("// " + marker)) return concat(file, ":", line);
  ADD_FAILURE() << "no \"// " << marker << "\" in " << file;
  return "";
}

struct BrokenCase {
  const char* name;
  BrokenKernel* checked;
  std::vector<std::string> parts;  // of the report, in order; HERE and THERE stand for the marked lines
};

void PrintTo(const BrokenCase& test, std::ostream* out) {
  *out << test.name;
}

std::string run(BrokenKernel* kernel, Context& ctx, bool broken) {
  Memory memory(ctx);
  try {
    kernel(ctx, broken, memory.operands());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class Broken : public ::testing::TestWithParam<BrokenCase> {};

TEST_P(Broken, IsNamedWithItsLine) {
  MOE_SKIP_WITHOUT_LINES();
  std::vector<std::string> parts = GetParam().parts;
  for (std::string& part : parts) {
    if (part == "HERE") part = place_of(GetParam().name, "here");
    if (part == "THERE") part = place_of(GetParam().name, "there");
  }
  Context ctx({.kind = DeviceKind::checked});
  const std::string report = run(GetParam().checked, ctx, true);
  EXPECT_TRUE(says(report, parts));
  if (::testing::Test::HasFailure() || std::getenv("MOE_SHOW_REPORTS")) std::cout << report << "\n";
}

TEST_P(Broken, RaisesNoAlarmWithoutTheMistake) {
  for (const std::uint64_t order : kOrders) {
    Context ctx({.kind = DeviceKind::checked});
    ctx.emulated_order = order;
    EXPECT_EQ(run(GetParam().checked, ctx, false), "");
  }
}

#define MOE_BROKEN(name, ...)       \
  BrokenCase {                      \
#name, kernels_checked::name, { \
      __VA_ARGS__                   \
    }                               \
  }

INSTANTIATE_TEST_SUITE_P(
    Kernels, Broken,
    ::testing::Values(
        MOE_BROKEN(missing_barrier, "THERE", "data race in a block, 4 bytes from byte 128 of shared row",
                   "block (0, 0, 0) thread (32, 0, 0) writes at", "THERE",
                   "block (0, 0, 0) thread (31, 0, 0) read at", "HERE"),
        MOE_BROKEN(missing_second_barrier, "THERE",
                   "data race in a block, 4 bytes from byte 0 of shared tile", "thread (1, 0, 0) reads at",
                   "THERE", "thread (0, 0, 0) wrote at", "HERE"),
        MOE_BROKEN(missing_syncwarp, "HERE", "data race in a block", "of shared row", "reads at", "HERE",
                   "wrote at", "THERE"),
        MOE_BROKEN(divergent_barrier, "THERE", "divergent barriers in block (0, 0, 0)", "HERE"),
        MOE_BROKEN(wrong_mask, "HERE", "__shfl_xor_sync: block (0, 0, 0) thread (0, 0, 0) reads lane 16",
                   "not in mask 0xffff"),
        MOE_BROKEN(shuffle_after_return, "HERE", "__shfl_xor_sync", "thread (4, 0, 0) reads lane 20"),
        MOE_BROKEN(tile_edge, "HERE",
                   "out of bounds: block (0, 0, 0) thread (7, 0, 0) takes index 8 of 'float [8]'"),
        MOE_BROKEN(ragged_tail, "HERE",
                   "out of bounds: block (6, 0, 0) thread (8, 0, 0) reads 4 bytes right past the end",
                   "allocation of 800 bytes (argument 2)"),
        MOE_BROKEN(past_shared, "HERE", "out of bounds: block (0, 0, 0) thread (63, 0, 0) writes 4 bytes",
                   "252 bytes of dynamic shared memory"),
        MOE_BROKEN(use_after_release, "HERE", "out of bounds", "reads 4 bytes in memory that was released",
                   "byte 0 of an allocation of 800 bytes"),
        MOE_BROKEN(misaligned, "HERE", "misaligned: block (0, 0, 0) thread (1, 0, 0) uses", "float4",
                   "multiple of 16", "byte 4 of an allocation of 800 bytes (argument 2)"),
        MOE_BROKEN(missing_wait, "HERE", "uninitialised: block (0, 0, 0) thread (0, 0, 0) reads 4 bytes",
                   "from byte 252 of shared row"),
        MOE_BROKEN(copied_over, "THERE", "data race in a block, 4 bytes from byte 0 of shared slab",
                   "thread (1, 0, 0) reads at", "THERE", "thread (0, 0, 0) wrote at", "HERE"),
        MOE_BROKEN(ragged_async_copy, "HERE",
                   "out of bounds: block (1, 0, 0) thread (18, 0, 0) reads 16 bytes right past",
                   "an allocation of 800 bytes (argument 2)"),
        MOE_BROKEN(racy_histogram, "HERE", "data race", "of an allocation of 64 bytes (argument 1)",
                   "reads at", "HERE", "wrote at", "HERE"),
        MOE_BROKEN(cross_block_race, "HERE",
                   "data race between blocks, 4 bytes from byte 128 of an allocation",
                   "block (1, 0, 0) thread (0, 0, 0) writes at", "HERE",
                   "block (0, 0, 0) thread (31, 0, 0) read at", "THERE"),
        MOE_BROKEN(two_writers, "HERE", "data race between blocks",
                   "block (6, 0, 0) thread (0, 0, 0) writes at", "HERE",
                   "block (0, 0, 0) thread (0, 0, 0) wrote at", "HERE"),
        MOE_BROKEN(uninitialised_shared, "HERE", "uninitialised: block (0, 0, 0) thread (0, 0, 0)",
                   "updates atomically 4 bytes that nobody wrote", "of shared bin"),
        MOE_BROKEN(uninitialised_global, "HERE",
                   "uninitialised: block (0, 0, 0) thread (0, 0, 0) reads 4 bytes",
                   "byte 0 of an allocation of 800 bytes (argument 1)")),
    [](const auto& test) { return test.param.name; });

// No access is wrong here, only what comes out: random orders show it.
TEST(UnstableSort, GivesOtherResultsInOtherOrders) {
  const auto sorted = [](bool broken, std::uint64_t order) {
    Context ctx({.kind = DeviceKind::emulated});
    ctx.emulated_order = order;
    Memory memory(ctx);
    kernels_emulated::unstable_sort(ctx, broken, memory.operands());
    return memory.y.vector();
  };
  EXPECT_EQ(sorted(false, 1), sorted(false, 0));
  EXPECT_EQ(sorted(true, 0), sorted(false, 0)) << "right by luck where threads run in order";
  EXPECT_NE(sorted(true, 1), sorted(true, 0));
}

}  // namespace
}  // namespace moe

#endif
