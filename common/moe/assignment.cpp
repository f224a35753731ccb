#include "common/moe/assignment.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr double kLowest = -std::numeric_limits<double>::infinity();
constexpr std::int32_t kNobody = -1;

struct Place {
  double price;
  std::int32_t row;  // who holds it
};
struct Dearer {  // the cheapest place on top, of equals the one whose row is lowest
  bool operator()(const Place& a, const Place& b) const {
    return a.price > b.price || (a.price == b.price && a.row > b.row);
  }
};
using Column = std::priority_queue<Place, std::vector<Place>, Dearer>;

class Auction {
 public:
  Auction(std::vector<double> score, std::span<const std::int64_t> capacity)
      : score_(std::move(score)),
        capacity_(capacity),
        E_(static_cast<std::int64_t>(capacity.size())),
        open_(capacity.size()),
        column_(score_.size() / capacity.size()) {}

  // Prices stay from phase to phase: all places are taken at the end of each, so that any prices are a fair start.
  void run(double epsilon) {
    const auto price = prices();
    for (std::int64_t e = 0; e < E_; ++e) {
      Column empty;
      for (std::int64_t i = 0; i < capacity_[e]; ++i) empty.push({price[e], kNobody});
      open_[e] = std::move(empty);
    }
    std::vector<std::int32_t> waiting;
    for (std::size_t n = column_.size(); n-- > 0;) waiting.push_back(static_cast<std::int32_t>(n));
    while (!waiting.empty()) {
      const std::int32_t row = waiting.back();
      waiting.pop_back();
      const std::int32_t out = bid(row, epsilon);
      if (out != kNobody) waiting.push_back(out);
    }
  }
  const std::vector<std::int32_t>& columns() const { return column_; }

 private:
  std::vector<double> prices() const {
    std::vector<double> price(open_.size());
    for (std::size_t e = 0; e < price.size(); ++e)
      if (!open_[e].empty()) price[e] = open_[e].top().price;
    return price;
  }

  // Returns who lost the place. The second best is another column: places of one column are alike, and rows that
  // outbid each other for them by epsilon would take forever.
  std::int32_t bid(std::int32_t row, double epsilon) {
    const double* score = score_.data() + row * E_;
    double best = kLowest, second = kLowest;
    std::int64_t column = 0;
    for (std::int64_t e = 0; e < E_; ++e) {
      if (capacity_[e] == 0) continue;
      const double value = score[e] - open_[e].top().price;
      if (value > best) {
        second = best;
        best = value;
        column = e;
      } else if (value > second) {
        second = value;
      }
    }
    const Place cheapest = open_[column].top();
    const double more = second == kLowest ? 0 : best - second;  // the only column there is
    open_[column].pop();
    open_[column].push({cheapest.price + more + epsilon, row});
    column_[row] = static_cast<std::int32_t>(column);
    return cheapest.row;
  }

  std::vector<double> score_;  // (N, E)
  std::span<const std::int64_t> capacity_;
  std::int64_t E_;
  std::vector<Column> open_;
  std::vector<std::int32_t> column_;
};

}  // namespace

std::vector<std::int64_t> even_capacity(std::span<const double> score, std::int64_t N, std::int64_t E) {
  MOE_CHECK(E > 0 && static_cast<std::int64_t>(score.size()) == N * E, score.size(), " scores for ", N,
            " by ", E);
  std::vector<std::int64_t> liked(static_cast<std::size_t>(E)), order(liked.size());
  for (std::int64_t n = 0; n < N; ++n) {
    const double* s = score.data() + n * E;
    std::int64_t best = 0;
    for (std::int64_t e = 1; e < E; ++e)
      if (s[e] > s[best]) best = e;
    ++liked[best];
  }
  for (std::int64_t e = 0; e < E; ++e) order[e] = e;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return liked[a] > liked[b]; });
  std::vector<std::int64_t> capacity(liked.size(), N / E);
  for (std::int64_t i = 0; i < N % E; ++i) ++capacity[order[i]];
  return capacity;
}

std::vector<std::int32_t> balanced_assignment(std::span<const double> score, std::int64_t N,
                                              std::span<const std::int64_t> capacity, double epsilon) {
  const auto E = static_cast<std::int64_t>(capacity.size());
  std::int64_t places = 0;
  for (const std::int64_t c : capacity) places += c;
  MOE_CHECK(E > 0 && places == N && static_cast<std::int64_t>(score.size()) == N * E, places, " places for ",
            N, " rows, ", score.size(), " scores");
  MOE_CHECK(epsilon > 0, "epsilon ", epsilon);
  if (N == 0) return {};
  double low = -kLowest, high = kLowest;
  for (const double s : score)
    if (std::isfinite(s)) low = std::min(low, s), high = std::max(high, s);
  if (low > high) low = high = 0;  // nothing is finite
  std::vector<double> finite(score.begin(), score.end());
  for (double& s : finite)
    if (!std::isfinite(s)) s = low;
  Auction auction(std::move(finite), capacity);
  // A factor of 5 from phase to phase, as in Bertsekas' codes: few bids are thrown away, and prices begin near the right ones.
  for (double coarse = (high - low) / 4; coarse > epsilon; coarse /= 5) auction.run(coarse);
  auction.run(epsilon);
  return auction.columns();
}

}  // namespace moe
