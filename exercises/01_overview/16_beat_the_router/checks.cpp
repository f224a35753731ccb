#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "exercises/01_overview/16_beat_the_router/answered_router.hpp"

namespace moe::grade {
namespace {

using namespace router_task;

constexpr std::int64_t kSteps = 800;  // of the run that counts
// Bits a byte below the baseline: for any points, for all points.
constexpr double kLeast = 0.01, kAll = 0.14;

const Corpus& texts() {
  static const Corpus corpus = load_corpus({.context = 64});
  return corpus;
}

// `each` places of every domain's held-out text, mixed: no domain stands together. Other ones with every seed.
Places held_out_places(Check& check, const Task& task, std::int64_t each) {
  std::vector<std::pair<std::size_t, std::int64_t>> drawn;
  for (std::size_t d = 0; d < texts().domains.size(); ++d) {
    const auto last = static_cast<std::int32_t>(texts().domains[d].held_out.size()) - 1;
    for (const std::int32_t at : check.integers(each, static_cast<std::int32_t>(task.context), last))
      drawn.emplace_back(d, at);
  }
  Places places;
  const auto key = check.integers(static_cast<std::int64_t>(drawn.size()), 0, 1 << 30);
  std::vector<std::size_t> order(drawn.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key[a] < key[b]; });
  for (const std::size_t i : order)
    add_place(places, task, texts().domains[drawn[i].first].held_out, drawn[i].second);
  return places;
}

double mean(const std::vector<float>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

// The answer in a model that has been trained for `steps`.
struct Tried {
  Tried(Check& check, std::int64_t steps, bool keep = false) : asked(check, task) {
    seen.keep = keep;
    run = std::make_unique<Run>(task, texts(), [this](Context& ctx) {
      return std::make_unique<AnsweredRouter>(ctx, task, asked, seen);
    });
    run->train(steps);
  }
  Task task;
  AskedRouter asked;
  Seen seen;
  std::unique_ptr<Run> run;
};

// The softmax over the two greatest logits, and nothing that balances: by the library.
double baseline(const Places& places) {
  const Task task;
  Run run(task, texts(), [&](Context& ctx) {
    const MoeConfig config{.experts = task.E, .top_k = 2, .balance_coefficient = 0, .z_coefficient = 0};
    return make_router(ctx, DType::f32, config, task.D);
  });
  run.train(kSteps);
  return mean(run.predict(places));
}

std::string short_number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", x);
  return text;
}

void require_budget(Check& check, const Task& task, const Seen& seen) {
  for (const bool training : {true, false}) {
    const double spent = seen.experts_a_token(training);
    check.require(spent <= task.budget,
                  concat(short_number(spent), " experts a token ", training ? "in training" : "at inference",
                         ", but the budget is ", task.budget));
  }
}

template <class I>
std::string visit(const Choice& c, I i) {
  const auto at = static_cast<std::size_t>(i);
  if (c.expert[at] < 0) return "no expert";
  return concat("expert ", c.expert[at], " with weight ", c.weight[at]);
}

// The tokens in another company must be treated as before.
void require_independence(Check& check, AskedRouter& asked, const Task& task,
                          const std::vector<float>& logit) {
  const std::int64_t N = static_cast<std::int64_t>(logit.size()) / task.E, half = N / 2;
  const Choice together = asked.route(logit, 0);
  const auto compare = [&](std::int64_t begin, std::int64_t end) {
    const Choice alone = asked.route({logit.begin() + begin * task.E, logit.begin() + end * task.E}, 0);
    for (std::int64_t i = begin * task.S; i < end * task.S; ++i) {
      const std::int64_t at = i - begin * task.S;
      if (alone.expert[at] != together.expert[i] || alone.weight[at] != together.weight[i])
        check.require(false,
                      concat("token ", i / task.S, " of ", N, " goes to ", visit(together, i),
                             ";\n  among tokens ", begin, " to ", end - 1, " alone to ", visit(alone, at)));
    }
  };
  compare(half, N);
  compare(0, half);
  compare(N / 3, N / 3 + 1);
}

// The README's numbers, by the library: the baseline on one token, forward and backward.
void check_example(const Check& check) {
  Context ctx(1);
  Tape tape(ctx);
  ForwardContext f{.ctx = ctx, .tape = &tape};
  const moe::Value logit = tape.watch(tensor_of(ctx, check.example<float>("logit"), {1, 4}));
  const ops::TopK top = ops::top_k_gate(f, ops::softmax(f, logit).probability, 2, true);
  const auto gradient = check.example<float>("grad_weight");
  tape.backward(std::vector<Tape::Root>{
      {.value = top.weight,
       .gradient = tensor_of(ctx, std::vector<float>{gradient[0], gradient[1]}, {1, 2})}});
  const auto agree = [&](const char* name, const std::vector<float>& values) {
    const auto said = check.example<float>(name);
    for (std::size_t i = 0; i < values.size(); ++i)
      MOE_CHECK(std::abs(values[i] - said[i]) <= 6e-4, "the README's ", name, "[", i, "] is ", values[i]);
  };
  agree("weight", values_of<float>(top.weight.tensor));
  agree("grad_logit", values_of<float>(tape.gradient_of(logit)));
  const auto expert = check.example<std::int32_t>("expert");
  MOE_CHECK(values_of<std::int32_t>(top.expert) == (std::vector<std::int32_t>{expert[0], expert[1]}),
            "expert");
}

}  // namespace

MOE_GRADED(WellFormed, 1,
           "Write every slot: an expert from 0 to E-1, or -1 for none, no expert twice in a token.") {
  check_example(check);
  for (const auto [N, E] : {std::array<std::int64_t, 2>{2, 4}, {0, 8}, {31, 5}, {33, 32}, {127, 33}}) {
    for (const float deviation : {0.0f, 1.0f, 300.0f}) {  // ties, usual, so large that exp overflows
      const Task task{.E = E, .S = 4, .M = 2 * E};
      AskedRouter asked(check, task);
      const auto logit = check.normal(N * E, deviation);
      for (std::int64_t step = 1; step <= 3; ++step) {
        const Choice choice = asked.route(logit, step);
        auto gradient = check.normal(N * task.S, 1e-3f);
        for (std::size_t i = 0; i < gradient.size(); ++i)
          if (choice.expert[i] < 0) gradient[i] = 0;
        asked.learn(gradient, choice, logit, step);
      }
      asked.route(logit, 0);
    }
  }
}

MOE_GRADED(SameEveryTime, 2,
           "Two runs, other choices: is there a static variable, a clock, or memory that nobody wrote?") {
  Tried first(check, 20, true), second(check, 20, true);
  for (std::size_t i = 0; i < first.seen.choices.size(); ++i) {
    const Choice &a = first.seen.choices[i], &b = second.seen.choices[i];
    check.begin(concat("two runs of 20 steps, E=", first.task.E, " S=", first.task.S));
    for (std::size_t k = 0; k < a.expert.size(); ++k)
      if (a.expert[k] != b.expert[k] || a.weight[k] != b.weight[k])
        check.require(false,
                      concat("step ", i + 1, ", token ", k / static_cast<std::size_t>(first.task.S),
                             ": the first run chooses ", visit(a, k), ",\n  the second ", visit(b, k)));
  }
  check.begin("two runs of 20 steps");
  check.require(first.asked.state() == second.asked.state(), "the states differ after 20 steps");
}

MOE_GRADED(NoLeak, 2,
           "At inference a token must go where it would go alone: later tokens are the future of a text.") {
  Tried tried(check, 30);
  for (const std::int64_t N : {6, 127})
    require_independence(check, tried.asked, tried.task, check.normal(N * tried.task.E));
}

MOE_GRADED(
    Budget, 2,
    "At most 2 experts a token on average, in training and at inference; slots left empty cost nothing.") {
  Tried tried(check, 60);
  tried.run->predict(held_out_places(check, tried.task, 200));
  check.begin(concat("60 training steps, then 1200 tokens of held-out text"));
  require_budget(check, tried.task, tried.seen);
}

MOE_GRADED(
    AllExpertsWork, 3,
    "The rich get richer: who is chosen learns, who learns is chosen. Push choices towards idle experts.") {
  Tried tried(check, 300);
  const Places places = held_out_places(check, tried.task, 500);
  tried.run->predict(places);
  const std::vector<std::int64_t>& load = tried.seen.load;
  const double fair = static_cast<double>(tried.seen.visits[0]) / static_cast<double>(tried.task.E);
  const auto idle = std::count_if(load.begin(), load.end(), [&](std::int64_t n) { return n * 8.0 <= fair; });
  std::string loads;
  for (const std::int64_t n : load) loads += " " + std::to_string(n);
  check.begin(concat("300 training steps, then ", places.count(), " tokens of held-out text"));
  check.require(idle == 0,
                concat(idle, " of ", tried.task.E, " experts get less than an eighth of their share, ",
                       short_number(fair), " tokens:\n ", loads));
}

MOE_GRADED(BeatsBaseline, 10,
           "The baseline is the softmax of the two greatest logits with nothing that balances the experts.") {
  Tried tried(check, kSteps);
  const Places places = held_out_places(check, tried.task, 2000);
  const double yours = mean(tried.run->predict(places));
  require_independence(check, tried.asked, tried.task, tried.seen.logit);
  check.begin(concat(kSteps, " training steps, ", places.count(), " tokens of held-out text"));
  require_budget(check, tried.task, tried.seen);
  const double theirs = baseline(places), gain = theirs - yours;
  const std::string words = concat(short_number(yours), " bits a byte, the baseline ", short_number(theirs));
  check.require(gain >= kLeast, concat(words, ":\n  that is not ", short_number(kLeast), " better"));
  check.award(gain / kAll,
              concat(words, ": ", short_number(gain), " better; all points from ", short_number(kAll)));
}

}  // namespace moe::grade
