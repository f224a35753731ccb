// Attention on the device against the oracle in double. All that the views leave out holds NaN, in operands and results.
#include "kernels/attention/attention.hpp"

#include "tests/simt/device_versions.hpp"
#include "tests/support/attention_case.hpp"

namespace moe {
namespace {

using namespace testing;
using namespace testing::attention_case;

AttentionShape self(std::int64_t B, std::int64_t T, std::int64_t H, std::int64_t G, std::int64_t W,
                    bool causal = true) {
  AttentionShape s{};
  s.B = B, s.Tq = s.Tk = s.kv_capacity = T, s.H = H, s.G = G, s.W = W, s.causal = causal;
  return s;
}
AttentionShape cached(std::int64_t B, std::int64_t Tq, std::int64_t Tk) {
  AttentionShape s = self(B, Tk, 4, 2, 8);
  s.Tq = Tq;
  s.kv_capacity = Tk + 7;
  s.query_offset = Tk - Tq;
  return s;
}

// The part of `memory` that a view leaves out: must still be poison.
void expect_poison(const std::vector<float>& memory) {
  for (std::size_t i = 0; i < memory.size(); ++i)
    ASSERT_TRUE(std::isnan(memory[i])) << "index " << i << " written out of place";
}

std::vector<float> taken(std::vector<float>& memory, const Dense& like, const View& view, std::int64_t B) {
  return collect<float>(memory.data(), like, view, B);
}

// o, logsumexp, dq, dk, dv, one behind the other.
std::vector<float> run(Context& ctx, Attention<float>& forward, AttentionBackward<float>& backward, Problem p,
                       std::int64_t shift) {
  const Stored<float> in(p);
  const AttentionShape& s = p.s;
  const Layout& at = in.layout;
  OnDevice<float> q(ctx, in.q, shift), kv(ctx, in.kv, shift), d_o(ctx, in.d_o, shift);
  OnDevice<float> o(ctx, at.sizes[2], shift), alone(ctx, at.sizes[2], shift),
      logsumexp(ctx, s.B * s.H * s.Tq), dq(ctx, at.sizes[0], shift), dkv(ctx, at.sizes[1], shift);
  const float *k = kv.data() + at.k.first, *v = kv.data() + at.v.first;
  forward(ctx, o, logsumexp, q, k, v, s);
  forward(ctx, alone, nullptr, q, k, v, s);
  EXPECT_TRUE(same_bytes(alone.vector(), o.vector())) << "without logsumexp";
  backward(ctx, dq, dkv.data() + at.k.first, dkv.data() + at.v.first, d_o, q, k, v, o, logsumexp, s);
  std::vector<float> out = o.vector(), d_query = dq.vector(), d_keys = dkv.vector();
  std::vector<float> all = taken(out, p.q, at.o, s.B);
  append(all, logsumexp.vector());
  append(all, taken(d_query, p.q, at.q, s.B));
  append(all, taken(d_keys, p.k, at.k, s.B));
  append(all, taken(d_keys, p.v, at.v, s.B));
  for (const auto* rest : {&out, &d_query, &d_keys}) expect_poison(*rest);
  return all;
}

template <class Check>
void each_result(const Problem& p, std::int64_t shift, Check check) {
  each_device_version(
      attention<float>, DType::f32,
      [&](Attention<float>& forward, Context& ctx) {
        std::size_t row = 0;
        while (*attention<float>.versions()[row].function != forward) ++row;
        return run(ctx, forward, *attention_backward<float>.versions()[row].function, p, shift);
      },
      check);
}

void expect_all(const AttentionShape& shape, std::int64_t shift = 0) {
  SCOPED_TRACE(concat(describe(shape), " shift ", shift));
  const Problem p(shape);
  const Oracle want = oracle(p);
  std::vector<float> expected;
  for (const auto* part :
       {&want.o.values, &want.logsumexp, &want.dq.values, &want.dk.values, &want.dv.values})
    append(expected, cast<float>(*part));
  each_result(p, shift, [&](const std::vector<float>& actual) {
    EXPECT_TRUE(close(actual, expected, kSumRounding<float>));
  });
}

TEST(AttentionKernels, AgreeForEveryLengthCausalOrNot) {
  for (const std::int64_t T : {1, 31, 32, 33, 63, 64, 65, 127, 129})
    for (const bool causal : {true, false}) expect_all(self(1, T, 2, 2, 8, causal));
}

TEST(AttentionKernels, AgreeForEveryHeadWidth) {
  for (const std::int64_t W : {1, 15, 16, 17, 32, 63, 64, 65, 129}) expect_all(self(1, 33, 2, 1, W));
}

TEST(AttentionKernels, QueryHeadsShareKeyValueHeads) {
  for (const auto [H, G] : {std::array{1, 1}, {4, 2}, {4, 1}, {6, 2}, {3, 3}})
    expect_all(self(2, 66, H, G, 5));
}

TEST(AttentionKernels, ReadACacheUpToItsLastKey) {
  for (const std::int64_t B : {1, 2})
    for (const auto [Tq, Tk] : {std::array{1, 1}, {1, 33}, {3, 65}, {65, 129}, {1, 128}})
      expect_all(cached(B, Tq, Tk));
}

TEST(AttentionKernels, AttendAcrossWithoutACausalMask) {
  AttentionShape s = self(2, 40, 4, 2, 8, false);
  for (const std::int64_t Tq : {1, 5, 70}) {
    s.Tq = Tq;
    expect_all(s);
  }
}

TEST(AttentionKernels, KeysThatNobodySeesGetZeros) {
  AttentionShape s = self(1, 130, 2, 1, 4);
  for (const std::int64_t Tq : {0, 1, 3}) {
    s.Tq = Tq;
    expect_all(s);
  }
}

TEST(AttentionKernels, DoNothingForNoQueriesOrSequences) {
  expect_all(self(0, 5, 2, 1, 8));
  expect_all(self(2, 0, 2, 1, 8));
}

TEST(AttentionKernels, TakeMisalignedViews) {
  for (const std::int64_t shift : {1, 2, 3}) expect_all(self(2, 70, 2, 1, 16), shift);
}

// A key of NaN reaches every query that sees it and no other, and the logsumexp says so.
TEST(AttentionKernels, PropagateNaN) {
  for (const std::int64_t bad : {0, 2, 64, 69}) {
    Problem p(self(1, 70, 1, 1, 8));
    p.k.at(0, bad, 0)[3] = attention_case::kNaN;
    each_result(p, 0, [&](const std::vector<float>& actual) {
      for (std::int64_t t = 0; t < 70; ++t) {
        EXPECT_EQ(std::isnan(actual[t * 8]), t >= bad) << "key " << bad << " query " << t;
        EXPECT_EQ(std::isnan(actual[70 * 8 + t]), t >= bad) << "key " << bad << " query " << t;
      }
    });
  }
}

// Scores of some thousands overflow exp unless the greatest is subtracted first.
TEST(AttentionKernels, SurviveLargeScores) {
  Problem p(self(1, 3, 1, 1, 1));
  p.q.values = {1, 1, 1};
  p.k.values = {4000, 3000, -5000};
  p.v.values = {7, 8, 9};
  each_result(p, 0, [](const std::vector<float>& actual) {
    EXPECT_TRUE(close({actual.begin(), actual.begin() + 6}, std::vector<float>{7, 7, 7, 4000, 4000, 4000}));
  });
}

}  // namespace
}  // namespace moe
