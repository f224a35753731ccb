#include "kernels/attention/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/numeric.hpp"

namespace moe {
namespace {

using namespace moe::testing;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// (B, T, heads, W) stored densely, as the oracle reads it.
struct Dense {
  Dense(std::int64_t positions, std::int64_t heads_, const AttentionShape& s, std::uint64_t seed)
      : T(positions), heads(heads_), W(s.W), values(random_normal<double>(s.B * T * heads * W, seed)) {}
  double* at(std::int64_t b, std::int64_t t, std::int64_t h) {
    return values.data() + ((b * T + t) * heads + h) * W;
  }
  const double* at(std::int64_t b, std::int64_t t, std::int64_t h) const {
    return const_cast<Dense*>(this)->at(b, t, h);
  }

  std::int64_t T, heads, W;
  std::vector<double> values;
};

struct Problem {
  explicit Problem(const AttentionShape& shape)
      : s(shape), q(s.Tq, s.H, s, 1), k(s.Tk, s.G, s, 2), v(s.Tk, s.G, s, 3), d_o(s.Tq, s.H, s, 4) {}
  AttentionShape s;
  Dense q, k, v, d_o;
};

struct Oracle {
  explicit Oracle(const AttentionShape& s)
      : o(s.Tq, s.H, s, 0), dq(o), dk(s.Tk, s.G, s, 0), dv(dk), logsumexp(s.B * s.H * s.Tq) {
    for (Dense* x : {&o, &dq, &dk, &dv}) std::fill(x->values.begin(), x->values.end(), 0);
  }
  Dense o, dq, dk, dv;
  std::vector<double> logsumexp;
};

double dot(const double* a, const double* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}
void add(double* y, double factor, const double* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

// One query by the definition; backward through the softmax's Jacobian, without the row sum trick of the kernels.
void oracle_row(Oracle& out, const Problem& p, std::int64_t b, std::int64_t h, std::int64_t t) {
  const AttentionShape& s = p.s;
  const std::int64_t g = h * s.G / s.H, W = s.W;
  std::vector<double> prob, dprob;
  for (std::int64_t j = 0; j < s.Tk && (!s.causal || j <= s.query_offset + t); ++j) {
    prob.push_back(std::exp(dot(p.q.at(b, t, h), p.k.at(b, j, g), W) / std::sqrt(W)));
    dprob.push_back(dot(p.d_o.at(b, t, h), p.v.at(b, j, g), W));
  }
  double sum = 0, mean = 0;
  for (const double x : prob) sum += x;
  for (double& x : prob) x /= sum;
  for (std::size_t j = 0; j < prob.size(); ++j) mean += prob[j] * dprob[j];
  out.logsumexp[(b * s.H + h) * s.Tq + t] = std::log(sum);
  for (std::size_t j = 0; j < prob.size(); ++j) {
    const double dscore = prob[j] * (dprob[j] - mean) / std::sqrt(W);
    add(out.o.at(b, t, h), prob[j], p.v.at(b, j, g), W);
    add(out.dq.at(b, t, h), dscore, p.k.at(b, j, g), W);
    add(out.dk.at(b, j, g), dscore, p.q.at(b, t, h), W);
    add(out.dv.at(b, j, g), prob[j], p.d_o.at(b, t, h), W);
  }
}

Oracle oracle(const Problem& p) {
  Oracle out(p.s);
  for (std::int64_t b = 0; b < p.s.B; ++b)
    for (std::int64_t h = 0; h < p.s.H; ++h)
      for (std::int64_t t = 0; t < p.s.Tq; ++t) oracle_row(out, p, b, h, t);
  return out;
}

// A dense tensor among NaN: position t of sequence b begins at (b·capacity + t)·ld + first.
struct View {
  std::int64_t capacity, ld, first;
};
template <class Visit>
void for_each_stored(const Dense& x, const View& view, std::int64_t B, Visit visit) {
  const std::int64_t row = x.heads * x.W;
  for (std::int64_t i = 0; i < B * x.T * row; ++i) {
    const std::int64_t b = i / (x.T * row), t = i / row % x.T;
    visit(i, (b * view.capacity + t) * view.ld + view.first + i % row);
  }
}
template <class T>
void spread(T* memory, const Dense& x, const View& view, std::int64_t B) {
  for_each_stored(x, view, B,
                  [&](std::int64_t i, std::int64_t place) { memory[place] = static_cast<T>(x.values[i]); });
}
// Takes the values out and leaves poison, so that what is left over was written out of place.
template <class T>
std::vector<T> collect(T* memory, const Dense& like, const View& view, std::int64_t B) {
  std::vector<T> values(like.values.size());
  for_each_stored(like, view, B, [&](std::int64_t i, std::int64_t place) {
    values[i] = memory[place];
    memory[place] = std::numeric_limits<T>::quiet_NaN();
  });
  return values;
}
template <class T>
::testing::AssertionResult all_poison(const Output<T>& memory) {
  for (std::size_t i = 0; i < memory.span().size(); ++i)
    if (!std::isnan(memory.span()[i]))
      return ::testing::AssertionFailure() << "index " << i << " written out of place";
  return ::testing::AssertionSuccess();
}

// Queries in one buffer, keys and values packed in another with room to spare; all padding NaN.
struct Layout {
  explicit Layout(AttentionShape& s) {
    s.ld_q = s.H * s.W + 3;
    s.ld_kv = 2 * s.G * s.W + 5;
    s.ld_o = s.H * s.W + 1;
    q = {s.Tq, s.ld_q, 0};
    k = {s.kv_capacity, s.ld_kv, 2};
    v = {s.kv_capacity, s.ld_kv, 2 + s.G * s.W};
    o = {s.Tq, s.ld_o, 0};
    sizes[0] = s.B * s.Tq * s.ld_q;
    sizes[1] = s.B * s.kv_capacity * s.ld_kv;
    sizes[2] = s.B * s.Tq * s.ld_o;
  }
  View q, k, v, o;
  std::int64_t sizes[3];  // of the buffers of q, of k and v, of o
};

template <class T>
struct Stored {
  explicit Stored(Problem& p)
      : layout(p.s),
        q(layout.sizes[0], T(kNaN)),
        kv(layout.sizes[1], T(kNaN)),
        d_o(layout.sizes[2], T(kNaN)) {
    spread(q.data(), p.q, layout.q, p.s.B);
    spread(kv.data(), p.k, layout.k, p.s.B);
    spread(kv.data(), p.v, layout.v, p.s.B);
    spread(d_o.data(), p.d_o, layout.o, p.s.B);
  }
  const T* k() const { return kv.data() + layout.k.first; }
  const T* v() const { return kv.data() + layout.v.first; }
  Layout layout;
  std::vector<T> q, kv, d_o;
};

template <class T>
struct Result {
  std::vector<T> o, logsumexp, dq, dk, dv;
};

// Forward, then backward from what forward left. Every byte outside the views must keep its poison.
template <class T>
Result<T> run(std::size_t version, Problem p, int threads) {
  const Stored<T> in(p);
  const AttentionShape& s = p.s;
  const Layout& at = in.layout;
  Context ctx(threads);
  Output<T> o(at.sizes[2]), logsumexp(s.B * s.H * s.Tq), alone(at.sizes[2]), dq(at.sizes[0]),
      dkv(at.sizes[1]);
  attention<T>.versions()[version].function(ctx, o, logsumexp, in.q.data(), in.k(), in.v(), s);
  attention<T>.versions()[version].function(ctx, alone, nullptr, in.q.data(), in.k(), in.v(), s);
  EXPECT_TRUE(same_bytes(alone.span(), o.span())) << "without logsumexp";
  attention_backward<T>.versions()[version].function(ctx, dq, dkv + at.k.first, dkv + at.v.first,
                                                     in.d_o.data(), in.q.data(), in.k(), in.v(), o, logsumexp,
                                                     s);
  Result<T> result{collect<T>(o, p.q, at.o, s.B), logsumexp.vector(), collect<T>(dq, p.q, at.q, s.B),
                   collect<T>(dkv + at.k.first, p.k, {s.kv_capacity, s.ld_kv, 0}, s.B),
                   collect<T>(dkv + at.v.first, p.v, {s.kv_capacity, s.ld_kv, 0}, s.B)};
  EXPECT_TRUE(all_poison(o)) << "o";
  EXPECT_TRUE(all_poison(dq)) << "dq";
  EXPECT_TRUE(all_poison(dkv)) << "dk, dv";
  return result;
}

std::string describe(const AttentionShape& s) {
  return concat("B ", s.B, " Tq ", s.Tq, " Tk ", s.Tk, " H ", s.H, " G ", s.G, " W ", s.W, " capacity ",
                s.kv_capacity, " offset ", s.query_offset, s.causal ? " causal" : "");
}

template <class T>
void expect_all(const AttentionShape& shape) {
  SCOPED_TRACE(describe(shape));
  const Problem p(shape);
  const Oracle expected = oracle(p);
  for (std::size_t i = 0; i < attention<T>.versions().size(); ++i) {
    SCOPED_TRACE(attention<T>.versions()[i].name);
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
  for (std::size_t i = 0; i < attention<T>.versions().size(); ++i) {
    Context ctx(2);
    Output<T> o(d_o.size()), logsumexp(s.B * s.H * s.Tq), d(qkv.size());
    attention<T>.versions()[i].function(ctx, o, logsumexp, qkv.data(), qkv.data() + k, qkv.data() + v, s);
    attention_backward<T>.versions()[i].function(ctx, d, d + k, d + v, d_o.data(), qkv.data(), qkv.data() + k,
                                                 qkv.data() + v, o, logsumexp, s);
    EXPECT_TRUE(close(o, cast<T>(expected.o.values), kSumRounding<T>)) << attention<T>.versions()[i].name;
    EXPECT_TRUE(close(d, want, kSumRounding<T>)) << attention<T>.versions()[i].name;
  }
}

TYPED_TEST(AttentionTest, LaterTokensChangeNoByteOfEarlierOutputs) {
  using T = TypeParam;
  const Problem before(self(1, 129, 2, 1, 8));
  const std::int64_t row = before.s.H * before.s.W;
  for (std::size_t i = 0; i < attention<T>.versions().size(); ++i) {
    const Result<T> first = run<T>(i, before, 1);
    for (const std::int64_t t : {1, 33, 64, 128}) {
      SCOPED_TRACE(concat(attention<T>.versions()[i].name, " from position ", t));
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
  for (std::size_t i = 0; i < attention<T>.versions().size(); ++i) {
    const Result<T> one = run<T>(i, p, 1);
    for (const int threads : kThreadCounts) {
      SCOPED_TRACE(concat(attention<T>.versions()[i].name, " on ", threads, " threads"));
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
  for (std::size_t i = 0; i < attention<T>.versions().size(); ++i) {
    const Result<T> actual = run<T>(i, p, 1);
    EXPECT_TRUE(close(actual.o, {7, 7, 7})) << attention<T>.versions()[i].name;
    EXPECT_TRUE(close(actual.logsumexp, {4000, 4000, 4000})) << attention<T>.versions()[i].name;
  }
}

// A key of NaN reaches every query that sees it, and the logsumexp says so.
TYPED_TEST(AttentionTest, PropagatesNaN) {
  using T = TypeParam;
  for (const std::int64_t bad : {0, 2, 4})
    for (std::size_t i = 0; i < attention<T>.versions().size(); ++i) {
      Problem p(self(1, 5, 1, 1, 8));
      p.k.at(0, bad, 0)[3] = kNaN;
      const Result<T> actual = run<T>(i, p, 1);
      for (std::int64_t t = 0; t < 5; ++t) {
        EXPECT_EQ(std::isnan(actual.o[t * 8]), t >= bad)
            << attention<T>.versions()[i].name << " key " << bad << " query " << t;
        EXPECT_EQ(std::isnan(actual.logsumexp[t]), t >= bad)
            << attention<T>.versions()[i].name << " query " << t;
      }
    }
}

TEST(Attention, GradientsAreFiniteDifferences) {
  AttentionShape causal = self(2, 3, 2, 1, 2), across = self(1, 4, 2, 2, 2, false);
  across.Tq = 2;
  for (const AttentionShape& shape : {causal, across, cached(2, 2, 3, 5)})
    for (std::size_t i = 0; i < attention<double>.versions().size(); ++i) {
      SCOPED_TRACE(concat(attention<double>.versions()[i].name, ' ', describe(shape)));
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
