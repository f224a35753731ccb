#include "kernels/attention/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/attention_case.hpp"

namespace moe {
namespace {

using namespace moe::testing;
using namespace moe::testing::attention_case;

template <class T>
void expect_all(const AttentionShape& shape) {
  SCOPED_TRACE(describe(shape));
  const Problem p(shape);
  const Oracle expected = oracle(p);
  for (std::size_t i = 0; i < versions_here(attention<T>).size(); ++i) {
    SCOPED_TRACE(versions_here(attention<T>)[i].name);
    const Result<T> actual = run<T>(i, p, 2);
    EXPECT_TRUE(close(actual.o, cast<T>(expected.o.values), kSumRounding<T>)) << "o";
    EXPECT_TRUE(close(actual.logsumexp, cast<T>(expected.logsumexp), kSumRounding<T>)) << "logsumexp";
    EXPECT_TRUE(close(actual.dq, cast<T>(expected.dq.values), kSumRounding<T>)) << "dq";
    EXPECT_TRUE(close(actual.dk, cast<T>(expected.dk.values), kSumRounding<T>)) << "dk";
    EXPECT_TRUE(close(actual.dv, cast<T>(expected.dv.values), kSumRounding<T>)) << "dv";
  }
}

AttentionShape self(std::int64_t B, std::int64_t T, std::int64_t H, std::int64_t G, std::int64_t W,
                    bool causal = true) {
  return {.B = B,
          .Tq = T,
          .Tk = T,
          .H = H,
          .G = G,
          .W = W,
          .ld_q = 0,
          .ld_kv = 0,
          .ld_o = 0,
          .kv_capacity = T,
          .causal = causal};
}
AttentionShape cached(std::int64_t B, std::int64_t Tq, std::int64_t Tk, std::int64_t capacity) {
  AttentionShape s = self(B, Tk, 4, 2, 8);
  s.Tq = Tq;
  s.kv_capacity = capacity;
  s.query_offset = Tk - Tq;
  return s;
}

template <class T>
struct AttentionTest : ::testing::Test {};
TYPED_TEST_SUITE(AttentionTest, Floats);

TYPED_TEST(AttentionTest, AgreesForEveryLengthCausalOrNot) {
  for (const std::int64_t T : {1, 2, 31, 33, 63, 64, 65, 129})
    for (const bool causal : {true, false}) expect_all<TypeParam>(self(2, T, 2, 2, 8, causal));
}

TYPED_TEST(AttentionTest, QueryHeadsShareKeyValueHeads) {
  for (const auto [H, G] : {std::array{1, 1}, {4, 2}, {4, 1}, {6, 2}, {3, 3}})
    for (const std::int64_t W : {1, 8, 32}) expect_all<TypeParam>(self(2, 33, H, G, W));
}

// Behind the last key the cache holds NaN, between two sequences too.
TYPED_TEST(AttentionTest, ReadsACacheUpToItsLastKey) {
  for (const std::int64_t B : {1, 2})
    for (const auto [Tq, Tk] : {std::array{1, 1}, {1, 33}, {3, 65}, {65, 129}, {1, 128}})
      expect_all<TypeParam>(cached(B, Tq, Tk, Tk + 7));
}

TYPED_TEST(AttentionTest, AttendsAcrossWithoutACausalMask) {
  AttentionShape s = self(2, 40, 4, 2, 8, false);
  for (const std::int64_t Tq : {1, 5, 70}) {
    s.Tq = Tq;
    expect_all<TypeParam>(s);
  }
}

TYPED_TEST(AttentionTest, DoesNothingForNoQueriesOrSequences) {
  expect_all<TypeParam>(self(0, 5, 2, 1, 8));
  expect_all<TypeParam>(self(2, 0, 2, 1, 8));
}

// One projection gives (B, T, (H + 2G)·W); its gradient comes back in the same layout, complete.
TYPED_TEST(AttentionTest, TakesAndFillsOnePackedTensor) {
  using T = TypeParam;
  AttentionShape s = self(2, 33, 4, 2, 8);
  Problem p(s);
  const Oracle expected = oracle(p);
  const std::int64_t ld = (s.H + 2 * s.G) * s.W, k = s.H * s.W, v = k + s.G * s.W;
  s.ld_q = s.ld_kv = ld;
  s.ld_o = s.H * s.W;
  std::vector<T> qkv(s.B * s.Tq * ld), want(qkv.size());
  spread(qkv.data(), p.q, {s.Tq, ld, 0}, s.B);
  spread(qkv.data(), p.k, {s.Tk, ld, k}, s.B);
  spread(qkv.data(), p.v, {s.Tk, ld, v}, s.B);
  spread(want.data(), expected.dq, {s.Tq, ld, 0}, s.B);
  spread(want.data(), expected.dk, {s.Tk, ld, k}, s.B);
  spread(want.data(), expected.dv, {s.Tk, ld, v}, s.B);
  const std::vector<T> d_o = cast<T>(p.d_o.values);
  for (std::size_t i = 0; i < versions_here(attention<T>).size(); ++i) {
    Context ctx(2);
    Output<T> o(d_o.size()), logsumexp(s.B * s.H * s.Tq), d(qkv.size());
    versions_here(attention<T>)[i].function(ctx, o, logsumexp, qkv.data(), qkv.data() + k, qkv.data() + v, s);
    versions_here(attention_backward<T>)[i].function(ctx, d, d + k, d + v, d_o.data(), qkv.data(),
                                                     qkv.data() + k, qkv.data() + v, o, logsumexp, s);
    EXPECT_TRUE(close(o, cast<T>(expected.o.values), kSumRounding<T>)) << versions_here(attention<T>)[i].name;
    EXPECT_TRUE(close(d, want, kSumRounding<T>)) << versions_here(attention<T>)[i].name;
  }
}

TYPED_TEST(AttentionTest, LaterTokensChangeNoByteOfEarlierOutputs) {
  using T = TypeParam;
  const Problem before(self(1, 129, 2, 1, 8));
  const std::int64_t row = before.s.H * before.s.W;
  for (std::size_t i = 0; i < versions_here(attention<T>).size(); ++i) {
    const Result<T> first = run<T>(i, before, 1);
    for (const std::int64_t t : {1, 33, 64, 128}) {
      SCOPED_TRACE(concat(versions_here(attention<T>)[i].name, " from position ", t));
      Problem after = before;
      for (Dense* x : {&after.q, &after.k, &after.v})
        for (double* y = x->at(0, t, 0); y != x->values.data() + x->values.size(); ++y) *y = 9 - 2 * *y;
      const Result<T> second = run<T>(i, after, 1);
      EXPECT_TRUE(same_bytes(std::span(second.o).first(t * row), std::span(first.o).first(t * row)));
      EXPECT_FALSE(same_bytes(std::span(second.o).subspan(t * row), std::span(first.o).subspan(t * row)));
    }
  }
}

TYPED_TEST(AttentionTest, GivesTheSameBytesForAnyThreadCount) {
  using T = TypeParam;
  const Problem p(self(2, 129, 4, 2, 8));
  for (std::size_t i = 0; i < versions_here(attention<T>).size(); ++i) {
    const Result<T> one = run<T>(i, p, 1);
    for (const int threads : kThreadCounts) {
      SCOPED_TRACE(concat(versions_here(attention<T>)[i].name, " on ", threads, " threads"));
      const Result<T> many = run<T>(i, p, threads);
      EXPECT_TRUE(same_bytes(many.o, one.o));
      EXPECT_TRUE(same_bytes(many.logsumexp, one.logsumexp));
      EXPECT_TRUE(same_bytes(many.dq, one.dq));
      EXPECT_TRUE(same_bytes(many.dk, one.dk));
      EXPECT_TRUE(same_bytes(many.dv, one.dv));
    }
  }
}

// Scores of some thousands overflow exp unless the greatest is subtracted first.
TYPED_TEST(AttentionTest, SurvivesLargeScores) {
  using T = TypeParam;
  Problem p(self(1, 3, 1, 1, 1));
  p.q.values = {1, 1, 1};
  p.k.values = {4000, 3000, -5000};
  p.v.values = {7, 8, 9};
  for (std::size_t i = 0; i < versions_here(attention<T>).size(); ++i) {
    const Result<T> actual = run<T>(i, p, 1);
    EXPECT_TRUE(close(actual.o, {7, 7, 7})) << versions_here(attention<T>)[i].name;
    EXPECT_TRUE(close(actual.logsumexp, {4000, 4000, 4000})) << versions_here(attention<T>)[i].name;
  }
}

// A key of NaN reaches every query that sees it, and the logsumexp says so.
TYPED_TEST(AttentionTest, PropagatesNaN) {
  using T = TypeParam;
  for (const std::int64_t bad : {0, 2, 4})
    for (std::size_t i = 0; i < versions_here(attention<T>).size(); ++i) {
      Problem p(self(1, 5, 1, 1, 8));
      p.k.at(0, bad, 0)[3] = kNaN;
      const Result<T> actual = run<T>(i, p, 1);
      for (std::int64_t t = 0; t < 5; ++t) {
        EXPECT_EQ(std::isnan(actual.o[t * 8]), t >= bad)
            << versions_here(attention<T>)[i].name << " key " << bad << " query " << t;
        EXPECT_EQ(std::isnan(actual.logsumexp[t]), t >= bad)
            << versions_here(attention<T>)[i].name << " query " << t;
      }
    }
}

TEST(Attention, GradientsAreFiniteDifferences) {
  AttentionShape causal = self(2, 3, 2, 1, 2), across = self(1, 4, 2, 2, 2, false);
  across.Tq = 2;
  for (const AttentionShape& shape : {causal, across, cached(2, 2, 3, 5)})
    for (std::size_t i = 0; i < versions_here(attention<double>).size(); ++i) {
      SCOPED_TRACE(concat(versions_here(attention<double>)[i].name, ' ', describe(shape)));
      Problem p(shape);
      const auto loss = [&] { return inner(run<double>(i, p, 1).o, p.d_o.values); };
      const Result<double> actual = run<double>(i, p, 1);
      EXPECT_TRUE(close(actual.dq, differences_at(p.q.values, loss), kDifference)) << "dq";
      EXPECT_TRUE(close(actual.dk, differences_at(p.k.values, loss), kDifference)) << "dk";
      EXPECT_TRUE(close(actual.dv, differences_at(p.v.values, loss), kDifference)) << "dv";
    }
}

TEST(Attention, RefusesHeadsThatDoNotDivide) {
  Context ctx;
  AttentionShape s = self(1, 1, 3, 2, 1);
  s.ld_q = s.ld_o = 3;
  s.ld_kv = 2;
  std::vector<float> q(3), kv(2), o(3);
  EXPECT_THROW(attention<float>(ctx, o.data(), nullptr, q.data(), kv.data(), kv.data(), s), Error);
}

}  // namespace
}  // namespace moe
