// The emulated mma.sync and ldmatrix against the PTX manual. The manual's index formulas are written out here once
// more, element by element, so that a wrong one in the emulation cannot hide.
#include "kernels/base/mma.cuh"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/base/bf16.hpp"
#include "tests/simt/support.hpp"

namespace moe {
namespace {

using namespace testing;

using Half = std::vector<Bf16>;

Half integers(std::int64_t n, int step, int modulus) {
  Half x(n);
  for (std::int64_t i = 0; i < n; ++i) x[i] = to_bf16(static_cast<float>(i * step % modulus));
  return x;
}

unsigned pair(Bf16 low, Bf16 high) {
  return low.bits | static_cast<unsigned>(high.bits) << 16;
}

// PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type": element i of a lane's fragment.
int a_row(int lane, int i) {
  return i < 2 || (i >= 4 && i < 6) ? lane / 4 : lane / 4 + 8;
}
int a_column(int lane, int i) {
  return i < 4 ? lane % 4 * 2 + (i & 1) : lane % 4 * 2 + (i & 1) + 8;
}
int b_row(int lane, int i) {
  return i < 2 ? lane % 4 * 2 + (i & 1) : lane % 4 * 2 + (i & 1) + 8;
}
int b_column(int lane) {
  return lane / 4;
}
int c_row(int lane, int i) {
  return i < 2 ? lane / 4 : lane / 4 + 8;
}
int c_column(int lane, int i) {
  return lane % 4 * 2 + (i & 1);
}

// d = c + a (16, 16) · b (16, 8), by one warp; lanes from `stay` on end before.
__global__ void mma_kernel(float* d, const Bf16* a, const Bf16* b, const float* c, int stay) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if (lane >= stay) return;
  unsigned left[4], right[2];
  float sum[4];
  for (int i = 0; i < 4; ++i)
    left[i] = pair(a[a_row(lane, 2 * i) * 16 + a_column(lane, 2 * i)],
                   a[a_row(lane, 2 * i + 1) * 16 + a_column(lane, 2 * i + 1)]);
  for (int i = 0; i < 2; ++i)
    right[i] =
        pair(b[b_row(lane, 2 * i) * 8 + b_column(lane)], b[b_row(lane, 2 * i + 1) * 8 + b_column(lane)]);
  for (int i = 0; i < 4; ++i) sum[i] = c[c_row(lane, i) * 8 + c_column(lane, i)];
  mma_m16n8k16(sum, left, right);
  for (int i = 0; i < 4; ++i) d[c_row(lane, i) * 8 + c_column(lane, i)] = sum[i];
}

std::vector<float> product(const Half& a, const Half& b, const std::vector<float>& c) {
  std::vector<float> d = c;
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 8; ++n)
      for (int k = 0; k < 16; ++k) d[m * 8 + n] += to_float(a[m * 16 + k]) * to_float(b[k * 8 + n]);
  return d;
}

void expect_product(Context& ctx, const Half& a, const Half& b, const std::vector<float>& c) {
  Output<float> d(128);
  launch(ctx, mma_kernel, 1, 32, 0, d.data(), a.data(), b.data(), c.data(), 32);
  EXPECT_TRUE(close(d, product(a, b, c)));
}

// Every element of every operand has a value of its own; sums stay below 2^24, so they are exact.
TEST(Mma, MultipliesByTheFragmentsOfTheManual) {
  every_order([](Context& ctx) {
    const Half a = integers(256, 1, 257), b = integers(128, 1, 129);
    std::vector<float> c(128);
    for (int i = 0; i < 128; ++i) c[i] = static_cast<float>(1000 + i);
    expect_product(ctx, a, b, c);
  });
}

TEST(Mma, IdentityGivesTheOtherOperand) {
  Context ctx;
  const std::vector<float> zero(128, 0.f);
  for (const int shift : {0, 1, 8, 15}) {  // a row of ones shifted sideways picks other rows of b
    Half a(256), b = integers(128, 1, 129);
    for (int m = 0; m < 16; ++m) a[m * 16 + (m + shift) % 16] = to_bf16(1);
    expect_product(ctx, a, b, zero);
  }
}

TEST(Mma, SumsAreNotRoundedToBf16) {
  Context ctx;
  Half a(256, to_bf16(1)), b(128, to_bf16(1));
  const std::vector<float> c(128, 4096.f);  // 4112 has no bf16
  expect_product(ctx, a, b, c);
}

TEST(Mma, LanesThatEndedCountAsNaN) {
  Context ctx;
  const Half a(256, to_bf16(1)), b(128, to_bf16(1));
  const std::vector<float> c(128, 0.f);
  Output<float> d(128);
  launch(ctx, mma_kernel, 1, 32, 0, d.data(), a.data(), b.data(), c.data(), 31);
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 6; ++n)  // lane 31 had rows 7 and 15 of a and column 7 of b
      EXPECT_EQ(std::isnan(d.data()[m * 8 + n]), m % 8 == 7) << m << ", " << n;
}

constexpr int kHalfLine = __LINE__ + 4;
__global__ void half_a_warp(float* d) {
  float sum[4] = {};
  const unsigned left[4] = {}, right[2] = {};
  if (threadIdx.x < 16) mma_m16n8k16(sum, left, right);
  __syncthreads();
  d[threadIdx.x] = sum[0];
}

TEST(Mma, HalfAWarpIsADeadlock) {
  every_order([](Context& ctx) {
    std::vector<float> d(32);
    const std::string error = error_of([&] { launch(ctx, half_a_warp, 1, 32, 0, d.data()); });
    EXPECT_TRUE(
        says(error, {"deadlock", "threads (0, 0, 0) to (15, 0, 0) wait in mma.sync", line_of(kHalfLine)}));
  });
}

constexpr int kPitch = 24;  // of a row in shared memory: 48 bytes, a multiple of 16

// Four 8×8 matrices in shared memory, matrix i at column 8·(i%2) of rows 8·(i/2)..; lane l points at row order[l%8].
template <int kCount, bool kTransposed>
__global__ void ldmatrix_kernel(unsigned* out, const Bf16* x, const int* order) {
  MOE_DYNAMIC_SHARED(Bf16, tile);
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 16 * kPitch; i += 32) tile[i] = x[i];
  __syncthreads();
  const int matrix = lane / 8;
  const Bf16* row = tile + (matrix / 2 * 8 + order[lane % 8]) * kPitch + matrix % 2 * 8;
  if (matrix >= kCount) row = nullptr;  // not looked at
  unsigned r[kCount];
  if constexpr (kCount == 4 && !kTransposed) ldmatrix_x4(r, row);
  if constexpr (kCount == 4 && kTransposed) ldmatrix_x4_trans(r, row);
  if constexpr (kCount == 2 && !kTransposed) ldmatrix_x2(r, row);
  if constexpr (kCount == 2 && kTransposed) ldmatrix_x2_trans(r, row);
  for (int i = 0; i < kCount; ++i) out[lane * kCount + i] = r[i];
}

// PTX ISA, ldmatrix: lane 4·g + t receives elements 2t and 2t+1 of row g of each matrix.
template <int kCount, bool kTransposed>
void expect_matrices(Context& ctx) {
  const int order[] = {3, 1, 4, 0, 5, 7, 2, 6};
  Half x(16 * kPitch);
  for (std::size_t i = 0; i < x.size(); ++i) x[i].bits = static_cast<std::uint16_t>(i);
  std::vector<unsigned> out(32 * kCount);
  launch(ctx, ldmatrix_kernel<kCount, kTransposed>, 1, 32, x.size() * sizeof(Bf16), out.data(), x.data(),
         order);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < kCount; ++i) {
      const auto element = [&](int row, int column) {
        return x[(i / 2 * 8 + order[row]) * kPitch + i % 2 * 8 + column];
      };
      const int g = lane / 4, t = 2 * (lane % 4);
      const unsigned expected =
          kTransposed ? pair(element(t, g), element(t + 1, g)) : pair(element(g, t), element(g, t + 1));
      ASSERT_EQ(out[lane * kCount + i], expected) << "lane " << lane << " register " << i;
    }
}

TEST(Ldmatrix, GivesEachLaneItsPairs) {
  every_order([](Context& ctx) {
    expect_matrices<4, false>(ctx);
    expect_matrices<4, true>(ctx);
    expect_matrices<2, false>(ctx);
    expect_matrices<2, true>(ctx);
  });
}

constexpr int kCrookedLine = __LINE__ + 5;
__global__ void crooked(unsigned* out) {
  MOE_DYNAMIC_SHARED(Bf16, tile);
  for (int i = static_cast<int>(threadIdx.x); i < 512; i += 32) tile[i] = {};
  unsigned r[4];
  ldmatrix_x4(r, tile + 8 * threadIdx.x + (threadIdx.x == 9 ? 1 : 0));
  out[threadIdx.x] = r[0];
}

TEST(Ldmatrix, ARowThatIsNotAlignedIsNamed) {
  every_order([](Context& ctx) {
    std::vector<unsigned> out(32);
    const std::string error = error_of([&] { launch(ctx, crooked, 1, 32, 1024, out.data()); });
    EXPECT_TRUE(says(error, {line_of(kCrookedLine), "ldmatrix", "no multiple of 16", "thread (9, 0, 0)"}));
  });
}

// a (16, 16) · b (16, 8) the way the kernels do it: both from shared memory by ldmatrix, b transposed on the way.
__global__ void product_kernel(float* d, const Bf16* a, const Bf16* b) {
  MOE_DYNAMIC_SHARED(Bf16, left);
  Bf16* right = left + 256;
  const int lane = static_cast<int>(threadIdx.x);
  for (int i = lane; i < 256; i += 32) left[i] = a[i];
  for (int i = lane; i < 128; i += 32) right[i] = b[i];
  __syncthreads();
  unsigned x[4], y[2];
  ldmatrix_x4(x, left + (lane % 16) * 16 + lane / 16 * 8);
  ldmatrix_x2_trans(y, right + (lane % 16) * 8);
  float sum[4] = {};
  mma_m16n8k16(sum, x, y);
  for (int i = 0; i < 4; ++i) d[c_row(lane, i) * 8 + c_column(lane, i)] = sum[i];
}

TEST(Ldmatrix, FeedsMma) {
  every_order([](Context& ctx) {
    const Half a = integers(256, 1, 257), b = integers(128, 1, 129);
    Output<float> d(128);
    launch(ctx, product_kernel, 1, 32, 384 * sizeof(Bf16), d.data(), a.data(), b.data());
    EXPECT_TRUE(close(d, product(a, b, std::vector<float>(128, 0.f))));
  });
}

// Values, ties, the greatest, infinities, NaN whose kept bits are all zero, and every bf16 as itself.
TEST(Bf16, RoundsToTheNearestAndKeepsNaN) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto bits = [](float x) { return to_bf16(x).bits; };
  EXPECT_EQ(bits(1.f), 0x3f80);
  EXPECT_EQ(bits(1.f + 0x1p-8f), 0x3f80) << "a tie goes to the even one";
  EXPECT_EQ(bits(1.f + 0x1p-8f + 0x1p-20f), 0x3f81);
  EXPECT_EQ(bits(1.f + 3 * 0x1p-8f), 0x3f82) << "a tie goes to the even one";
  EXPECT_EQ(bits(-0.f), 0x8000);
  EXPECT_EQ(bits(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(bits(-kInfinity), 0xff80);
  EXPECT_TRUE(std::isnan(rounded_to_bf16(std::bit_cast<float>(0x7f800001u))));
  EXPECT_TRUE(std::isnan(rounded_to_bf16(std::bit_cast<float>(0xffffffffu))));
  for (unsigned i = 0; i < 65536; ++i) {
    const Bf16 x{static_cast<std::uint16_t>(i)};
    if (std::isnan(to_float(x))) continue;
    ASSERT_EQ(to_bf16(to_float(x)).bits, i);
  }
}

}  // namespace
}  // namespace moe
