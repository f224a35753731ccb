// What the checked device counts, against cases worked out by hand: requests, lanes, passes/least.
#include "tests/simt/traffic/counts.hpp"

#ifdef MOE_HAVE_CHECKED

namespace moe {
namespace {

using namespace testing;

std::string strided(StridedCase c, simt::TrafficKind kind = kLoad) {
  const auto run = [=](Context& ctx, float* y, const float* x) {
    kernels_checked::strided_copy(ctx, y, x, c);
  };
  return counts(traffic_of(run), kind == kLoad ? "strided load" : "strided store", kGlobal, kind);
}

TEST(TrafficGlobal, UnitStrideNeedsFourSectorsARequest) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(strided({1, 0, 32, 1}), "1 32 4/4");
  EXPECT_EQ(strided({1, 0, 32, 1}, kStore), "1 32 4/4");
}

TEST(TrafficGlobal, StridesTouchASectorForEveryFewLanes) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(strided({2, 0, 32, 1}), "1 32 8/4");
  EXPECT_EQ(strided({8, 0, 32, 1}), "1 32 32/4");
  EXPECT_EQ(strided({32, 0, 32, 1}), "1 32 32/4");
  EXPECT_EQ(strided({-1, 31, 32, 1}), "1 32 4/4") << "backwards is as good";
}

TEST(TrafficGlobal, AShiftByOneElementCostsASector) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(strided({1, 1, 32, 1}), "1 32 5/4");
  EXPECT_EQ(strided({1, 8, 32, 1}), "1 32 4/4") << "by a whole sector none";
}

TEST(TrafficGlobal, OneWordForAllIsOneSector) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(strided({0, 5, 32, 1}), "1 32 1/1");
}

TEST(TrafficGlobal, PartsOfAWarpAreRequestsToo) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(strided({1, 0, 20, 1}), "1 20 3/3");
  EXPECT_EQ(strided({1, 0, 1, 1}), "1 1 1/1");
  EXPECT_EQ(strided({1, 0, 33, 1}), "2 33 5/5");
  EXPECT_EQ(strided({1, 0, 48, 3}), "6 144 18/18") << "warps of 32 and 16, three blocks";
}

TEST(TrafficGlobal, VectorsAreOneRequest) {
  MOE_SKIP_WITHOUT_LINES();
  const simt::Traffic four = traffic_of(kernels_checked::vector4_copy);
  EXPECT_EQ(counts(four, "vector4 load", kGlobal, kLoad), "1 32 16/16");
  EXPECT_EQ(counts(four, "vector4 store", kGlobal, kStore), "1 32 16/16");
  const simt::Traffic two = traffic_of(kernels_checked::vector2_copy);
  EXPECT_EQ(counts(two, "vector2 load", kGlobal, kLoad), "1 32 8/8");
  EXPECT_EQ(counts(two, "vector2 store", kGlobal, kStore), "1 32 8/8");
}

TEST(TrafficGlobal, StructsOfArraysBeatArraysOfStructs) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(counts(traffic_of(kernels_checked::array_of_structs), "structs", kGlobal, kLoad), "1 32 16/4");
  EXPECT_EQ(counts(traffic_of(kernels_checked::struct_of_arrays), "arrays", kGlobal, kLoad), "1 32 4/4");
}

TEST(TrafficGlobal, GathersAreAsGoodAsTheirIndices) {
  MOE_SKIP_WITHOUT_LINES();
  const auto gathered = [](auto index_of) {
    std::vector<std::int32_t> index(32);
    for (int i = 0; i < 32; ++i) index[i] = index_of(i);
    const auto run = [&](Context& ctx, float* y, const float* x) {
      OnDevice<std::int32_t> device_index(ctx, index);
      kernels_checked::gather(ctx, y, x, device_index);
    };
    return counts(traffic_of(run), "gather", kGlobal, kLoad);  // of the index, and of what it names
  };
  EXPECT_EQ(gathered([](int i) { return i * 7 % 32; }), "2 64 8/8") << "in any order";
  EXPECT_EQ(gathered([](int i) { return i / 8 * 64; }), "2 64 8/5")
      << "4 words in 4 sectors; 16 bytes fit in 1";
  EXPECT_EQ(gathered([](int i) { return i * 37; }), "2 64 36/8");
}

TEST(TrafficLoops, TheNthTimeOfOneLaneIsTheNthOfAll) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(counts(traffic_of(kernels_checked::row_walk, 0), "walk", kGlobal, kLoad), "8 256 256/32");
  EXPECT_EQ(counts(traffic_of(kernels_checked::row_walk, 1), "walk", kGlobal, kLoad), "8 256 32/32");
}

TEST(TrafficLoops, LanesThatAreDoneAreInactive) {
  MOE_SKIP_WITHOUT_LINES();
  int lanes = 0, sectors = 0, least = 0;
  for (int k = 0; k < 31; ++k) {  // lanes k+1 to 31
    lanes += 31 - k;
    sectors += 4 - (k + 1) / 8;
    least += ((31 - k) * 4 + 31) / 32;
  }
  EXPECT_EQ(counts(traffic_of(kernels_checked::ragged_walk), "ragged", kGlobal, kLoad),
            concat(31, " ", lanes, " ", sectors, "/", least));
}

TEST(TrafficBranches, EachSideIsARequestOfItsLanes) {
  MOE_SKIP_WITHOUT_LINES();
  const simt::Traffic traffic = traffic_of(kernels_checked::branches);
  EXPECT_EQ(counts(traffic, "odd", kGlobal, kLoad), "1 16 4/2");
  EXPECT_EQ(counts(traffic, "odd", kGlobal, kStore), "1 16 4/2");
  EXPECT_EQ(counts(traffic, "even", kGlobal, kLoad), "1 8 2/1");
}

TEST(TrafficBranches, ARendezvousPutsLanesInStepAgain) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(counts(traffic_of(kernels_checked::late_lanes, 1), "late", kGlobal, kLoad), "2 48 8/6");
  EXPECT_EQ(counts(traffic_of(kernels_checked::late_lanes, 0), "late", kGlobal, kLoad), "2 48 12/6")
      << "without one, the first of the odd lanes and the only one of the even are taken for one request";
}

TEST(TrafficLines, InlinedHelpersCountOnTheirOwnLine) {
  MOE_SKIP_WITHOUT_LINES();
  EXPECT_EQ(counts(traffic_of(kernels_checked::by_helper), "helper", kGlobal, kLoad), "2 64 12/8");
}

std::string text_of(const std::vector<simt::TrafficRow>& rows) {
  std::string text;
  for (const simt::TrafficRow& r : rows)
    text += concat(r.kernel, " ", r.file, ":", r.line, " ", name_of(r.space), " ", name_of(r.kind), " ",
                   r.counts.requests, " ", r.counts.lanes, " ", r.counts.passes, " ", r.counts.least, "\n");
  return text;
}

TEST(Traffic, IsTheSameInEveryOrder) {
  const auto all = [](std::uint64_t order) {
    std::string text = text_of(traffic_of(kernels_checked::transposition, 0, order).rows());
    text += text_of(traffic_of(kernels_checked::late_lanes, 0, order).rows());
    const auto blocks = [](Context& ctx, float* y, const float* x) {
      kernels_checked::strided_copy(ctx, y, x, {1, 3, 97, 5});
    };
    return text + text_of(traffic_of(blocks, order).rows());
  };
  const std::string in_order = all(0);
  EXPECT_NE(in_order, "");
  for (const std::uint64_t order : kOrders) EXPECT_EQ(all(order), in_order);
}

TEST(Traffic, AddsUpOverLaunchesAndLines) {
  const auto twice = [](Context& ctx, float* y, const float* x) {
    for (int i = 0; i < 2; ++i) kernels_checked::transposition(ctx, y, x, 1);
  };
  EXPECT_EQ(text_of(traffic_of(twice).totals()),
            "transposition_kernel :0 global load 64 2048 256 256\n"
            "transposition_kernel :0 global store 64 2048 256 256\n"
            "transposition_kernel :0 shared load 64 2048 64 64\n"
            "transposition_kernel :0 shared store 64 2048 64 64\n");
}

TEST(Traffic, OfALaunchThatGoesWrongIsLeftOut) {
  const auto run = [](Context& ctx, float* y, const float* x) {
    EXPECT_TRUE(says(error_of([&] { kernels_checked::racing(ctx, y, x, 0); }), {"data race"}));
    kernels_checked::struct_of_arrays(ctx, y, x, 0);
  };
  const std::vector<simt::TrafficRow> totals = traffic_of(run).totals();
  ASSERT_EQ(totals.size(), 2u);
  for (const simt::TrafficRow& row : totals) EXPECT_EQ(row.kernel, "struct_of_arrays_kernel");
}

TEST(Traffic, IsOfTheCheckedDeviceAndOfContextsThatAskForIt) {
  simt::Traffic traffic;
  Context emulated({.kind = DeviceKind::emulated}), checked({.kind = DeviceKind::checked});
  emulated.traffic = &traffic;
  for (Context* ctx : {&emulated, &checked}) {
    OnDevice<float> y(*ctx, kTrafficElements), x(*ctx, random_normal<float>(kTrafficElements, 1));
    (ctx == &emulated ? kernels_emulated::vector4_copy : kernels_checked::vector4_copy)(*ctx, y, x, 0);
  }
  EXPECT_TRUE(traffic.rows().empty());
}

TEST(Traffic, IsSaidInOneSentence) {
  const simt::TrafficRow row{.kernel = "k",
                             .file = "/a/b/softmax.cu",
                             .line = 23,
                             .counts = {.requests = 2, .lanes = 64, .passes = 64, .least = 8}};
  EXPECT_EQ(describe(row), "softmax.cu:23: load from global memory, 32.0 sectors a request, 4.0 would do");
}

TEST(Traffic, TheReadmesExampleIsTrue) {
  MOE_SKIP_WITHOUT_LINES();
  std::ifstream file(MOE_BROKEN_KERNELS "/../../../kernels/simt/README.md");
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  for (const int padding : {0, 1}) {
    std::string said;
    for (const simt::TrafficRow& row : traffic_of(kernels_checked::transposition, padding).rows())
      said += describe(row) + "\n";
    EXPECT_NE(said, "");
    EXPECT_NE(readme.find("```\n" + said + "```"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace moe

#endif
