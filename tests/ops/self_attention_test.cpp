#include <gtest/gtest.h>

#include <cmath>

#include "common/ops/ops.hpp"
#include "tests/ops/attention_oracle.hpp"
#include "tests/support/gradients.hpp"

namespace moe::testing {
namespace {

using ops::SelfAttention;

std::int64_t width(const SelfAttention& s) {
  return (s.H + 2 * s.G) * s.W;
}

// 0, 1, .. T-1 in each sequence, shifted by `first`.
Tensor positions(Context& ctx, const SelfAttention& s, int first = 0) {
  std::vector<std::int32_t> p(static_cast<std::size_t>(s.B * s.T));
  for (std::size_t i = 0; i < p.size(); ++i)
    p[i] = first + static_cast<std::int32_t>(i % static_cast<std::size_t>(s.T));
  return tensor_of<std::int32_t>(ctx, p, {s.B * s.T});
}

constexpr SelfAttention kShapes[] = {{1, 1, 1, 1, 2, 10000},
                                     {2, 5, 4, 2, 6, 100},
                                     {1, 33, 2, 1, 4, 10000},
                                     {3, 7, 3, 3, 8, 10},
                                     {2, 31, 6, 2, 2, 10000}};

TEST(SelfAttention, EqualsItsDefinition) {
  for (const SelfAttention& s : kShapes)
    for (const int first : {0, 5}) {
      Context ctx(2);
      ForwardContext f{.ctx = ctx};
      const Tensor qkv = normal_tensor(ctx, {s.B * s.T, width(s)}, 1), position = positions(ctx, s, first);
      const auto expected = attention_oracle(values_of<double>(qkv), values_of<std::int32_t>(position), s);
      const Value y = ops::self_attention(f, qkv, position, s);
      EXPECT_TRUE(close(values_of<double>(y.tensor), expected, {1e-12, 1e-12})) << s.T << " " << s.H;
    }
}

TEST(SelfAttention, GradientMatchesFiniteDifferences) {
  for (const SelfAttention& s : kShapes) {
    Context ctx(2);
    const Tensor position = positions(ctx, s, 3);
    const GradientCheck check = check_all(
        ctx, {normal_tensor(ctx, {s.B * s.T, width(s)}, 1)}, {}, [&](ForwardContext& f, const auto& in) {
          return project(
              f, ops::self_attention(f, copy_of(f, in[0]), position, s));  // rotates its input in place
        });
    EXPECT_LT(check.worst, 1e-6) << s.T << " " << s.H << ": " << check.where;
  }
}

TEST(SelfAttention, RotationsDependOnDistanceOnly) {
  const SelfAttention s{1, 9, 2, 1, 8, 10000};
  Context ctx;
  ForwardContext f{.ctx = ctx};
  const Tensor a = normal_tensor(ctx, {9, width(s)}, 1), b = normal_tensor(ctx, {9, width(s)}, 1);
  const Value near = ops::self_attention(f, a, positions(ctx, s), s);
  const Value far = ops::self_attention(f, b, positions(ctx, s, 41), s);
  EXPECT_TRUE(close(values_of<double>(near.tensor), values_of<double>(far.tensor), {1e-12, 1e-11}));
}

// A sequence of 9 in chunks, each continuing the cache, against the whole at once.
TEST(SelfAttention, ChunksThroughACacheEqualTheWhole) {
  const SelfAttention whole{1, 9, 4, 2, 4, 1000};
  for (const std::vector<std::int64_t>& chunks :
       {std::vector<std::int64_t>{9}, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {4, 5}, {3, 1, 5}}) {
    Context ctx;
    ForwardContext f{.ctx = ctx};
    const Tensor qkv = normal_tensor(ctx, {9, width(whole)}, 1), position = positions(ctx, whole);
    const auto expected = attention_oracle(values_of<double>(qkv), values_of<std::int32_t>(position), whole);
    ops::KvCache cache{.kv = tensor_of<double>(ctx, std::vector<double>(12 * 16, NAN), {12, 16})};
    std::vector<double> out;
    for (std::int64_t begin = 0; const std::int64_t n : chunks) {
      SelfAttention s = whole;
      s.T = n;
      const Value y = ops::self_attention(f, qkv.slice_rows(begin, begin + n),
                                          position.slice_rows(begin, begin + n), s, &cache);
      begin += n;
      EXPECT_EQ(cache.length, begin);
      const auto part = values_of<double>(y.tensor);
      out.insert(out.end(), part.begin(), part.end());
    }
    EXPECT_TRUE(close(out, expected, {1e-12, 1e-12})) << chunks.size() << " chunks";
  }
}

TEST(SelfAttention, RefusesAFullCacheAndACacheInTraining) {
  const SelfAttention s{1, 3, 1, 1, 2, 10};
  Context ctx;
  ForwardContext f{.ctx = ctx};
  ops::KvCache cache{.kv = Tensor::empty(ctx, DType::f64, {4, 4})};
  const auto attend = [&] {
    ops::self_attention(f, normal_tensor(ctx, {3, 6}, 1), positions(ctx, s), s, &cache);
  };
  attend();
  EXPECT_THROW(attend(), Error);
  Tape tape(ctx);
  f.tape = &tape;
  cache.length = 0;
  EXPECT_THROW(attend(), Error);
}

}  // namespace
}  // namespace moe::testing
