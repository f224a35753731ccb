// The learner's router in the grader's model: every forward pass asks the worker where the tokens go, every backward pass
// for the gradient of the logits. What comes back is checked before it is used.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "common/grade/check.hpp"
#include "common/moe/routers/router_ops.hpp"
#include "exercises/01_overview/16_beat_the_router/task.hpp"
#include "kernels/base/check.hpp"

namespace moe::router_task {

using grade::Check, grade::In, grade::InOut, grade::Out;

// What `route` answered for N tokens; the weights of empty slots are 0.
struct Choice {
  std::vector<std::int32_t> expert;  // (N, S)
  std::vector<float> weight;         // (N, S)

  std::int64_t assignments() const {
    return std::count_if(expert.begin(), expert.end(), [](std::int32_t e) { return e >= 0; });
  }
};

// The worker's two functions, and the state between calls.
class AskedRouter {
 public:
  AskedRouter(Check& check, const Task& task) : check_(check), task_(task), state_(task.M) {}

  Choice route(const std::vector<float>& logit, std::int64_t step) {
    const std::int64_t E = task_.E, S = task_.S, M = task_.M, N = static_cast<std::int64_t>(logit.size()) / E;
    const std::string name = concat(step ? concat("training step ", step) : "inference", ", N=", N, " E=", E);
    check_.begin(name);
    Choice c;
    check_.call("route", Out("expert", c.expert, N * S), Out("weight", c.weight, N * S),
                In("state", state_, M), In("logit", logit, E), step, N, E, S, M);
    check_.begin(name);  // thousands of logits explain nothing
    for (std::int64_t n = 0; n < N; ++n) check_token(c, n);
    return c;
  }

  std::vector<float> learn(const std::vector<float>& grad_weight, const Choice& c,
                           const std::vector<float>& logit, std::int64_t step) {
    const std::int64_t E = task_.E, S = task_.S, M = task_.M, N = static_cast<std::int64_t>(logit.size()) / E;
    std::vector<float> grad_logit;
    check_.call("learn", Out("grad_logit", grad_logit, N * E), InOut("state", state_, M),
                In("grad_weight", grad_weight, S), In("expert", c.expert, S), In("weight", c.weight, S),
                In("logit", logit, E), step, N, E, S, M);
    check_.begin(concat("training step ", step, ", N=", N, " E=", E));
    for (std::int64_t i = 0; i < N * E; ++i)
      if (!std::isfinite(grad_logit[i])) wrong(concat("grad_logit[", i / E, ",", i % E, "] is not a number"));
    for (std::int64_t i = 0; i < M; ++i)
      if (!std::isfinite(state_[i])) wrong(concat("state[", i, "] is not a number after learn"));
    return grad_logit;
  }

  const std::vector<float>& state() const { return state_; }

 private:
  [[noreturn]] void wrong(const std::string& what) {
    check_.require(false, what);
    std::abort();  // require has thrown
  }

  void check_token(Choice& c, std::int64_t n) {
    const std::int32_t* expert = c.expert.data() + n * task_.S;
    const auto fail = [&](std::int64_t s, const std::string& what) {
      wrong(concat("token ", n, ", slot ", s, ": ", what));
    };
    for (std::int64_t s = 0; s < task_.S; ++s) {
      const std::int32_t e = expert[s];
      float& weight = c.weight[n * task_.S + s];
      if (e == std::numeric_limits<std::int32_t>::min()) fail(s, "expert was never written");
      if (e < -1 || e >= task_.E) fail(s, concat("there is no expert ", e));
      if (e < 0) weight = 0;
      if (!std::isfinite(weight)) fail(s, "the weight is not a number");
      if (e >= 0 && std::find(expert, expert + s, e) != expert + s)
        fail(s, concat("expert ", e, " a second time"));
    }
  }

  Check& check_;
  Task task_;
  std::vector<float> state_;
};

// What a run has seen of the answer.
struct Seen {
  std::vector<Choice> choices;      // of every call; kept if `keep`
  std::vector<std::int64_t> load;   // (E) at inference
  std::vector<float> logit;         // (N, E) of the last inference
  std::int64_t tokens[2] = {0, 0};  // at inference, in training
  std::int64_t visits[2] = {0, 0};  // assignments
  bool keep = false;
  double experts_a_token(bool training) const {
    return tokens[training] ? static_cast<double>(visits[training]) / static_cast<double>(tokens[training])
                            : 0;
  }
};

class AnsweredRouter final : public Router {
 public:
  AnsweredRouter(Context& ctx, const Task& task, AskedRouter& asked, Seen& seen)
      : task_(task),
        asked_(asked),
        seen_(seen),
        weight_(make_parameter(ctx, DType::f32, {task.E, task.D}, kRouterDeviation)) {
    seen_.load.assign(static_cast<std::size_t>(task.E), 0);
  }

  Routing route(ForwardContext& f, const Value& x) override {
    const Value logits = ops::linear(f, x, weight_);
    const std::vector<float> logit = values_of<float>(logits.tensor);
    const std::int64_t N = x.tensor.rows(), step = f.training ? f.step : 0;
    const Choice choice = asked_.route(logit, step);
    note(choice, N, f.training);
    if (!f.training) seen_.logit = logit;
    Value weight = tensor_of(f.ctx, choice.weight, {N, task_.S});
    if (f.tape)
      weight = f.tape->record({logits}, weight.tensor, [this, choice, logit, step](Gradients& g) {
        const auto grad = asked_.learn(values_of<float>(g.of_output()), choice, logit, step);
        g.give(0, tensor_of(g.ctx, grad, {static_cast<std::int64_t>(logit.size()) / task_.E, task_.E}));
      });
    return {.expert = tensor_of(f.ctx, choice.expert, {N, task_.S}),
            .weight = weight,
            .token = {},
            .per_token = task_.S};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  void note(const Choice& choice, std::int64_t N, bool training) {
    seen_.tokens[training] += N;
    seen_.visits[training] += choice.assignments();
    if (!training)
      for (const std::int32_t e : choice.expert)
        if (e >= 0) ++seen_.load[static_cast<std::size_t>(e)];
    if (seen_.keep) seen_.choices.push_back(choice);
  }

  Task task_;
  AskedRouter& asked_;
  Seen& seen_;
  Parameter weight_;  // (E, D)
};

}  // namespace moe::router_task
