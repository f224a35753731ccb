// Attention in tests: random operands laid among NaN, the oracle in double, and one run of a version over both.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/attention/attention.hpp"
#include "tests/support/numeric.hpp"

namespace moe::testing::attention_case {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

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

inline double dot(const double* a, const double* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}
inline void add(double* y, double factor, const double* x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

// One query by the definition; backward through the softmax's Jacobian, without the row sum trick of the kernels.
inline void oracle_row(Oracle& out, const Problem& p, std::int64_t b, std::int64_t h, std::int64_t t) {
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

inline Oracle oracle(const Problem& p) {
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
  versions_here(attention<T>)[version].function(ctx, o, logsumexp, in.q.data(), in.k(), in.v(), s);
  versions_here(attention<T>)[version].function(ctx, alone, nullptr, in.q.data(), in.k(), in.v(), s);
  EXPECT_TRUE(same_bytes(alone.span(), o.span())) << "without logsumexp";
  versions_here(attention_backward<T>)[version].function(ctx, dq, dkv + at.k.first, dkv + at.v.first,
                                                         in.d_o.data(), in.q.data(), in.k(), in.v(), o,
                                                         logsumexp, s);
  Result<T> result{collect<T>(o, p.q, at.o, s.B), logsumexp.vector(), collect<T>(dq, p.q, at.q, s.B),
                   collect<T>(dkv + at.k.first, p.k, {s.kv_capacity, s.ld_kv, 0}, s.B),
                   collect<T>(dkv + at.v.first, p.v, {s.kv_capacity, s.ld_kv, 0}, s.B)};
  EXPECT_TRUE(all_poison(o)) << "o";
  EXPECT_TRUE(all_poison(dq)) << "dq";
  EXPECT_TRUE(all_poison(dkv)) << "dk, dv";
  return result;
}

inline std::string describe(const AttentionShape& s) {
  return concat("B ", s.B, " Tq ", s.Tq, " Tk ", s.Tk, " H ", s.H, " G ", s.G, " W ", s.W, " capacity ",
                s.kv_capacity, " offset ", s.query_offset, s.causal ? " causal" : "");
}

}  // namespace moe::testing::attention_case
