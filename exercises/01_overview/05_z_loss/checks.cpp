#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/grade/check.hpp"
#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/base/check.hpp"
#include "kernels/softmax/softmax.hpp"

namespace moe::grade {
namespace {

using Rows = std::vector<float>;  // (N, E)
constexpr float kCoefficient = 0.001f;

struct Expected {
  double loss;
  Rows gradient;
};

// By the library, in double.
Expected expected(const Rows& logit, float coefficient, std::int64_t N, std::int64_t E) {
  Context ctx(1);
  const std::vector<double> x(logit.begin(), logit.end());
  std::vector<double> p(x.size()), z(N), dlogit(x.size());
  const double scale = coefficient;
  double loss = 0;
  softmax<double>(ctx, p.data(), z.data(), x.data(), N, E);
  z_loss<double>(ctx, &loss, z.data(), N);
  if (N > 0) z_loss_backward<double>(ctx, dlogit.data(), &scale, z.data(), p.data(), N, E, false);
  return {scale * loss, {dlogit.begin(), dlogit.end()}};
}

double answered_loss(Check& check, const Rows& logit, std::int64_t N, std::int64_t E,
                     float coefficient = kCoefficient) {
  return check.result_of<float>("z_loss", In("logit", logit, E), coefficient, N, E);
}
// Added to `before`.
Rows answered_gradient(Check& check, const Rows& logit, Rows before, std::int64_t N, std::int64_t E,
                       float coefficient = kCoefficient) {
  check.call("z_loss_gradient", InOut("dlogit", before, E), In("logit", logit, E), coefficient, N, E);
  return before;
}
Rows zeros(std::int64_t n) {
  return Rows(static_cast<std::size_t>(n));
}

// exp, log and sums of at most 129 terms in f32. A logsumexp near 0 is the difference of two larger numbers: hence absolute.
constexpr Tolerance loss_tolerance(float coefficient) {
  return {1e-6 * coefficient, 3e-5};
}

void compare_loss(Check& check, const Rows& logit, std::int64_t N, std::int64_t E) {
  check.close("loss", answered_loss(check, logit, N, E), expected(logit, kCoefficient, N, E).loss,
              loss_tolerance(kCoefficient));
}
// What is small beside the greatest derivative may be wrong by as much as that is. exp(logit - z) turns the rounding of z,
// 6e-5 at 1000, into a relative error of the same size.
void compare_gradient(Check& check, const Rows& logit, std::int64_t N, std::int64_t E) {
  const Rows got = answered_gradient(check, logit, zeros(N * E), N, E);
  const Rows want = expected(logit, kCoefficient, N, E).gradient;
  float greatest = 0;
  for (const float x : want) greatest = std::max(greatest, std::abs(x));
  check.close("dlogit", got, want, E, {2e-5 * greatest, 3e-4});
}

// Rows of normal logits, each around another offset.
Rows far_logits(Check& check, std::int64_t N, std::int64_t E) {
  Rows logit = check.normal(N * E, 3);
  for (std::int64_t i = 0; i < N * E; ++i)
    logit[i] += static_cast<float>(i / E) * 2000 / static_cast<float>(N - 1) - 1000;
  return logit;
}

}  // namespace

MOE_GRADED(HandCase, 1,
           "Work the README's example on paper: logsumexp of each row, squared, the mean, the coefficient.") {
  const Rows logit = check.example<float>("logit");
  check.begin("the README's example, N=2 E=3, coefficient 0.1");
  const double got = answered_loss(check, logit, 2, 3, 0.1f);
  check.close("loss", got, check.example<double>("loss")[0], {0.00006, 0});  // its digits
  check.close("loss", got, expected(logit, 0.1f, 2, 3).loss, loss_tolerance(0.1f));
}

MOE_GRADED(
    EqualLogits, 2,
    "At zero logits logsumexp is log(E): not 0, and the same for any number of tokens (a mean, no sum).") {
  for (const auto [N, E] : {std::array<std::int64_t, 2>{1, 2}, {3, 4}, {31, 8}, {127, 33}, {2, 1}}) {
    check.begin(concat("N=", N, " E=", E, ", all logits 0, coefficient 0.001"));
    const double z = std::log(static_cast<double>(E));
    check.close("loss", answered_loss(check, zeros(N * E), N, E), kCoefficient * z * z,
                loss_tolerance(kCoefficient));
  }
}

MOE_GRADED(LargeLogits, 2,
           "exp overflows beyond 88 and is 0 below -104: take each row's own greatest logit out, put it back "
           "outside.") {
  check.begin("N=1 E=3, logits near 1000");
  compare_loss(check, {1000, 999, 1001}, 1, 3);
  check.begin("N=1 E=3, logits near -1000");
  compare_loss(check, {-1000, -999, -1001}, 1, 3);
  check.begin("N=33 E=16, every row around another offset");
  compare_loss(check, far_logits(check, 33, 16), 33, 16);
}

MOE_GRADED(AnySize, 1, "The mean of the squares, over tokens: not the square of the mean, not over N*E.") {
  for (const auto [N, E] : {std::array<std::int64_t, 2>{0, 4}, {1, 1}, {2, 3}, {31, 33}, {129, 127}}) {
    check.begin(concat("N=", N, " E=", E));
    compare_loss(check, check.normal(N * E), N, E);
  }
}

MOE_GRADED(Gradient, 2, "Chain rule: coefficient/N, then 2·logsumexp, then the softmax of the row.") {
  check.begin("the README's example, N=2 E=3, coefficient 0.1");
  check.close("dlogit", answered_gradient(check, check.example<float>("logit"), zeros(6), 2, 3, 0.1f),
              check.example<float>("dlogit"), 3, {0.00006, 0});
  for (const auto [N, E] : {std::array<std::int64_t, 2>{1, 2}, {0, 4}, {3, 4}, {31, 33}, {127, 129}}) {
    check.begin(concat("N=", N, " E=", E, ", dlogit is 0 before"));
    compare_gradient(check, check.normal(N * E), N, E);
  }
}

MOE_GRADED(LargeGradient, 1,
           "The gradient needs the same care as the loss: exp(logit - logsumexp) is never above 1.") {
  check.begin("N=2 E=3, logits near 1000 and near -1000, dlogit is 0 before");
  compare_gradient(check, {1000, 999, 1001, -1000, -999, -1001}, 2, 3);
  check.begin("N=31 E=8, every row around another offset, dlogit is 0 before");
  compare_gradient(check, far_logits(check, 31, 8), 31, 8);
}

MOE_GRADED(GradientAdds, 1,
           "Other losses have left their gradients in dlogit: add with +=, do not write over them.") {
  const Rows logit = check.normal(6), before = check.normal(6, 0.001f);
  check.begin("N=2 E=3, dlogit holds numbers before");
  const Rows alone = answered_gradient(check, logit, zeros(6), 2, 3);
  check.require(alone != zeros(6), "nothing was added to dlogit");
  Rows sum = before;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += alone[i];
  check.begin("N=2 E=3, dlogit holds numbers before");
  check.close("dlogit", answered_gradient(check, logit, before, 2, 3), sum, 3, {1e-8, 1e-5});
}

}  // namespace moe::grade
