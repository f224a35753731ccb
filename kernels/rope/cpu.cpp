// The angles of position p = Σ 2^k over its set bits are reached by turning through those powers of two,
// lowest first: 31·W/2 calls of sine and cosine at most, instead of one an element. In double, so that the at
// most 31 roundings stay invisible in float. A position always takes the same road, whatever rows stand
// around it: decoding one token and prefilling a sequence give the same bytes.
#include "kernels/base/tables.hpp"
#include "kernels/rope/rope.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/base/parallel.hpp"
#include "kernels/rope/versions.hpp"

namespace moe {
namespace {

// out = a · b, W/2 complex numbers each: cosines first, then sines. out may be b. Never inlined: all
// positions go through the same instructions.
[[gnu::noinline]] void turn(double* out, const double* a, const double* b, std::int64_t half) {
#pragma omp simd
  for (std::int64_t i = 0; i < half; ++i) {
    const double cosine = a[i] * b[i] - a[half + i] * b[half + i];
    const double sine = a[i] * b[half + i] + a[half + i] * b[i];
    out[i] = cosine;
    out[half + i] = sine;
  }
}

void no_turn(double* out, std::int64_t half) {
  std::fill_n(out, half, 1.0);
  std::fill_n(out + half, half, 0.0);
}

// power (bits, W): the angles of positions 1, 2, 4, ...
void fill_powers(double* power, std::int64_t bits, const RopeShape& s) {
  const std::int64_t half = s.W / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const double frequency = std::pow(s.theta, -2.0 * static_cast<double>(i) / static_cast<double>(s.W));
    for (std::int64_t k = 0; k < bits; ++k) {
      const double angle = std::ldexp(frequency, static_cast<int>(k));
      power[k * s.W + i] = std::cos(angle);
      power[k * s.W + half + i] = s.inverse ? -std::sin(angle) : std::sin(angle);
    }
  }
}

// every (count, W): the angles of positions 0 .. count-1, each table twice as long as the one it is turned from.
void fill_every(double* every, const double* power, std::int64_t count, const RopeShape& s) {
  no_turn(every, s.W / 2);
  for (std::int64_t k = 0, reach = 1; reach < count; ++k, reach *= 2)
    for (std::int64_t p = 0; p < std::min(reach, count - reach); ++p)
      turn(every + (reach + p) * s.W, power + k * s.W, every + p * s.W, s.W / 2);
}

void fill_one(double* angles, const double* power, std::int32_t position, const RopeShape& s) {
  no_turn(angles, s.W / 2);
  for (std::int64_t k = 0; position >> k; ++k)
    if (position >> k & 1) turn(angles, power + k * s.W, angles, s.W / 2);
}

template <class T>
void rotate_row(T* x, const T* cosine, const T* sine, std::int64_t heads, std::int64_t half) {
  for (T* head = x; head < x + heads * 2 * half; head += 2 * half)
#pragma omp simd
    for (std::int64_t i = 0; i < half; ++i) {
      const T a = head[i], b = head[half + i];
      head[i] = a * cosine[i] - b * sine[i];
      head[half + i] = a * sine[i] + b * cosine[i];
    }
}

std::int32_t largest_position(const std::int32_t* position, std::int64_t N) {
  std::int32_t least = 0, largest = 0;
  for (std::int64_t n = 0; n < N; ++n) {
    least = std::min(least, position[n]);
    largest = std::max(largest, position[n]);
  }
  MOE_CHECK(least >= 0, "position ", least);
  return largest;
}

// The table of angles in T, and which of its rows belongs to row n of x.
template <class T>
class Angles {
 public:
  // Training has few positions and many rows: one entry a position. Decoding has a few rows far out: one
  // entry a row.
  Angles(Context& ctx, const std::int32_t* position, const RopeShape& s)
      : position_(position),
        width_(s.W),
        reach_(largest_position(position, s.N) + std::int64_t{1}),
        by_position_(reach_ <= 2 * s.N),
        table_(ctx, (by_position_ ? reach_ : s.N) * s.W) {
    const std::int64_t bits = std::bit_width(static_cast<std::uint64_t>(reach_ - 1));
    Scratch<double> power(ctx, bits * s.W), exact(ctx, (by_position_ ? reach_ : s.N) * s.W);
    fill_powers(power.data(), bits, s);
    if (by_position_) {
      fill_every(exact.data(), power.data(), reach_, s);
    } else {
      for (std::int64_t n = 0; n < s.N; ++n) fill_one(exact.data() + n * s.W, power.data(), position[n], s);
    }
    std::copy_n(exact.data(), (by_position_ ? reach_ : s.N) * s.W, table_.data());
  }
  const T* of_row(std::int64_t n) { return table_.data() + (by_position_ ? position_[n] : n) * width_; }

 private:
  const std::int32_t* position_;
  std::int64_t width_, reach_;
  bool by_position_;
  Scratch<T> table_;
};

template <class T>
void rope_plain(Context& ctx, T* x, const std::int32_t* position, const RopeShape& s) {
  MOE_CHECK(s.W % 2 == 0 && s.heads * s.W <= s.ld, s.heads, " heads of ", s.W, " in rows of ", s.ld);
  account(ctx, 2.0 * sizeof(T) * s.N * s.heads * s.W + 4.0 * s.N, 3.0 * s.N * s.heads * s.W);
  Angles<T> angles(ctx, position, s);
  parallel_for(ctx, s.N, row_grain(2 * s.heads * s.W * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const T* cosine = angles.of_row(n);
      rotate_row(x + n * s.ld, cosine, cosine + s.W / 2, s.heads, s.W / 2);
    }
  });
}

}  // namespace

MOE_TABLES(Rope, rope, rope_plain)

}  // namespace moe
