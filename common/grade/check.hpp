// The checks of an exercise: what checks.cpp is written with.
//
//   MOE_GRADED(Ties, 2, "Equal scores go to the lower expert: compare with > and not with >=.") {
//     const std::vector<float> score(12, 0.25f);
//     std::vector<std::int32_t> expert;
//     check.begin("N=3 E=4 K=2, all scores equal");
//     check.call("top_k_gate", Out("expert", expert, 6), In("score", score, 4), N, E, K);
//     check.equal("expert", expert, wanted, 2);
//   }
//
// A check ends with the first thing that is wrong. What the learner reads of it: the case, the inputs (where they are
// large, the row that matters), got and expected with the index, and the sentence. So make small cases first.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/grade/answer.hpp"

namespace moe::grade {

// |got - expected| <= absolute + relative · |expected|; NaN never passes, equal infinities do.
struct Tolerance {
  double absolute = 0, relative = 0;
};

class Check {
 public:
  Check(Answer& answer, std::uint64_t seed, std::map<std::string, std::vector<double>> example)
      : answer_(answer), seed_(seed), example_(std::move(example)) {}

  // A new case: `name` holds the sizes and what is special. Forgets the inputs of the case before.
  void begin(std::string name);

  // Answer::call and result_of; the inputs are kept for a failure.
  template <class... Arguments>
  void call(const std::string& function, const Arguments&... arguments) {
    (keep(arguments), ...);
    answer_.call(function, arguments...);
  }
  template <class R, class... Arguments>
  R result_of(const std::string& function, const Arguments&... arguments) {
    (keep(arguments), ...);
    return answer_.result_of<R>(function, arguments...);
  }

  // got and expected as rows of `columns`, for the index and the row of inputs that is shown. T: int32, int64, float, double.
  template <class T>
  void equal(const std::string& name, const std::vector<T>& got, const std::vector<T>& expected,
             std::int64_t columns = 1) {
    close(name, got, expected, columns, {});
  }
  template <class T>
  void close(const std::string& name, const std::vector<T>& got, const std::vector<T>& expected,
             std::int64_t columns, Tolerance tolerance);
  void close(const std::string& name, double got, double expected, Tolerance tolerance);
  // A property. `what` says what is wrong: "row 3 has two times expert 1".
  void require(bool holds, const std::string& what);

  // Of kernels, over all calls so far: accesses of one kind ("load", "store", "atomic"; "" for all) to "global" or "shared"
  // memory need at most `most` times the least sectors or wavefronts that would do. Fails with the lines that waste most.
  // passes(): how many they needed.
  void require_traffic(const std::string& space, const std::string& kind, double most);
  std::int64_t passes(const std::string& space, const std::string& kind) const;

  // For a task without a perfect answer: `fraction` of the check's points (1 or more: all, 0 or less: none), and the remark
  // that the learner reads ("0.12 bits per byte better than the baseline, full marks from 0.2"). Without it: all or nothing.
  void award(double fraction, const std::string& remark);

  // The limit of one call, where the exercise's own (4 s, a kernel 20 s) is too short. Before the first call.
  void seconds(double limit) { answer_.limit_seconds(limit); }

  // Random numbers, other ones with every call and every seed. Integers from [low, high].
  std::vector<float> normal(std::int64_t n, float deviation = 1);
  std::vector<std::int32_t> integers(std::int64_t n, std::int32_t low, std::int32_t high);
  std::int64_t integer(std::int64_t low, std::int64_t high);

  // An array of the README's worked example: the numbers after "name =" in its block ```example. So what the README says
  // is what the hand case checks.
  template <class T>
  std::vector<T> example(const std::string& name) const {
    const std::vector<double>& values = example_values(name);
    return {values.begin(), values.end()};
  }

  // The order of the emulated device's threads in the next calls (0: by number; 1, 2, ...: random).
  void thread_order(std::uint32_t order) { answer_.order = order; }

  double fraction() const { return fraction_; }
  const std::string& remark() const { return remark_; }

  // The case and its inputs, for a failure in `row` of `rows` (-1: none).
  std::string context(std::int64_t row = -1, std::int64_t rows = 0) const;

 private:
  struct Input {
    std::string name;
    std::vector<double> values;
    std::int64_t columns;
  };
  template <class T>
  void keep(const T&) {}
  void keep(const Sent& sent);
  const std::vector<double>& example_values(const std::string& name) const;

  Answer& answer_;
  std::uint64_t seed_;
  std::uint32_t draws_ = 0;
  std::map<std::string, std::vector<double>> example_;
  std::string case_, remark_;
  double fraction_ = 1;
  std::vector<Input> inputs_;
};

// What MOE_GRADED registers.
struct GradedCheck {
  std::string exercise;  // "01_overview/01_top_k_gate"
  std::string name;
  int points;
  std::string meaning;  // one sentence: what a failure usually means
  void (*body)(Check&);
};
bool add_check(GradedCheck check);
const std::vector<GradedCheck>& graded_checks();  // in the order of the files

}  // namespace moe::grade

#define MOE_GRADED(Name, points, meaning)                                    \
  static void Name(::moe::grade::Check& check);                              \
  [[maybe_unused]] static const bool Name##_is_known =                       \
      ::moe::grade::add_check({MOE_EXERCISE, #Name, points, meaning, Name}); \
  static void Name([[maybe_unused]] ::moe::grade::Check& check)
