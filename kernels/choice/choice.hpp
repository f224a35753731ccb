// What routers do with choices besides softmax and top-k: weigh them, drop some, or make them without a score.
//
// expert (N, K) holds the choices of N tokens among E experts, best first; what lies outside [0, E) is no assignment (-1:
// dropped) and weighs nothing. Those of choices treat a token by itself, so that neither batches nor threads
// can show; counts, biases and what turns (E, C) into (N, E) say what they do.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"
#include "kernels/base/random.hpp"

namespace moe {

struct ChoiceShape {
  std::int64_t N, E, K;
  bool renormalise =
      true;          // a token's weights divided by their sum, at least 1e-20: sigmoids can all underflow
  double scale = 1;  // and all of them multiplied by this
};

// weight (N, K) = score of the chosen, 0 where dropped. score (N, E) >= 0. Where expert is null, K is E and every expert
// stands in its place: with renormalise, a row of scores becomes a distribution.
template <class T>
using WeighChoice = void(Context&, T* weight, const T* score, const std::int32_t* expert, const ChoiceShape&);
// dscore (N, E) is written: zero where not chosen. The gradient of top_k_gate as well, whose weights these are. Without
// renormalise score is not read and may be null.
template <class T>
using WeighChoiceBackward = void(Context&, T* dscore, const T* dweight, const T* score,
                                 const std::int32_t* expert, const ChoiceShape&);

// GShard's random routing (arXiv:2006.16668, algorithm 1): the first choice stays, any other with probability
// min(1, 2·weight), else it becomes -1. The draw belongs to (key, first_token + n, k). kept may be expert. K <= 4.
template <class T>
using KeepByChance = void(Context&, std::int32_t* kept, const std::int32_t* expert, const T* weight,
                          const RngKey& key, std::int64_t first_token, std::int64_t N, std::int64_t K);

// K different experts for each id, drawn by philox of (key, id, k): the same id, the same experts.
using HashChoice = void(Context&, std::int32_t* expert, const std::int32_t* id, const RngKey& key,
                        const ChoiceShape&);

// The same from a table (V, K) of expert numbers, made beforehand from how often ids occur. An id outside of the table, or
// whose row begins with a negative number, goes where HashChoice sends it.
template <class T>
using TableChoice = void(Context&, std::int32_t* expert, const std::int32_t* id, const T* table,
                         std::int64_t V, const RngKey& key, const ChoiceShape&);

// Top-p (arXiv:2403.07652, eq. 3): of K choices, best first, those stay before which the weights (N, K) sum to less than
// `threshold`, and always the first; the others become -1. kept may be expert.
template <class T>
using KeepTopP = void(Context&, std::int32_t* kept, const std::int32_t* expert, const T* weight,
                      double threshold, std::int64_t N, std::int64_t K);

// key (n): the place of choice i in a table (groups, E) of counts, if `length` choices in a row make a group; -1 for what is
// no choice among E. With one group: choices outside [0, E) become -1. key may be expert.
using GroupKeys = void(Context&, std::int32_t* key, const std::int32_t* expert, std::int64_t n,
                       std::int64_t length, std::int64_t E);

// count (rows, E + nulls), in place, times `nulls`, and each null expert gets the mean of the nulls (AdaMoE, arXiv:2406.13233,
// eq. 6: only how many nulls are chosen matters, not which). The least common scale on which that mean is an integer.
using EvenOutNulls = void(Context&, std::int32_t* count, std::int64_t rows, std::int64_t E,
                          std::int64_t nulls);

// biased (N, E) = score + bias[e], to choose by; experts outside the `kept` best of `groups` equal groups get
// -infinity, and NaN stays NaN. A group is as good as the sum of its two best (DeepSeek-V3, arXiv:2412.19437). groups divides E; 1: no limit.
// Ties go to the lower group. A group with NaN is never before one without. biased is not score.
struct GroupLimit {
  std::int64_t groups = 1, kept = 1;
};
template <class T>
using BiasedScore = void(Context&, T* biased, const T* score, const T* bias, const GroupLimit&,
                         const ChoiceShape&);

// bias[e] += rate·sign(mean count - count[e]) (DeepSeek-V3, section 2.1.2); nothing moves where counts are equal.
template <class T>
using MoveBias = void(Context&, T* bias, const std::int32_t* count, double rate, std::int64_t E);

// sum (E) += count (E): the loads of a step's several passes.
using AddCounts = void(Context&, std::int32_t* sum, const std::int32_t* count, std::int64_t E);

// y = 1 / (1 + exp(-x)) over n elements; dx = dy·y·(1 - y).
template <class T>
using Sigmoid = void(Context&, T* y, const T* x, std::int64_t n);
template <class T>
using SigmoidBackward = void(Context&, T* dx, const T* dy, const T* y, std::int64_t n);

// Experts chose tokens: token (E, C) and weight (E, C) of expert e's C choices, different tokens all. Writes the list's other half,
// expert (E, C) = e, and the same by token: by_token (N, E) = e where e chose n, else -1, and weight_by_token (N, E), 0 where
// nobody chose. The last two may be null, together.
template <class T>
using ByToken = void(Context&, std::int32_t* expert, std::int32_t* by_token, T* weight_by_token,
                     const std::int32_t* token, const T* weight, std::int64_t N, std::int64_t E,
                     std::int64_t C);

// y (C, R) = x (R, C) turned over; y is not x.
template <class T>
using Transposed = void(Context&, T* y, const T* x, std::int64_t R, std::int64_t C);

template <class T>
extern Operation<WeighChoice<T>> weigh_choice;
template <class T>
extern Operation<WeighChoiceBackward<T>> weigh_choice_backward;
template <class T>
extern Operation<KeepByChance<T>> keep_by_chance;
extern const Operation<HashChoice> hash_choice;
template <class T>
extern Operation<TableChoice<T>> table_choice;
template <class T>
extern Operation<KeepTopP<T>> keep_top_p;
extern const Operation<GroupKeys> group_keys;
extern const Operation<EvenOutNulls> even_out_nulls;
template <class T>
extern Operation<BiasedScore<T>> biased_score;
extern const Operation<AddCounts> add_counts;
template <class T>
extern Operation<MoveBias<T>> move_bias;
template <class T>
extern Operation<Sigmoid<T>> sigmoid;
template <class T>
extern Operation<SigmoidBackward<T>> sigmoid_backward;
template <class T>
extern Operation<ByToken<T>> by_token;
template <class T>
extern Operation<Transposed<T>> transposed;  // of float, double, std::int32_t

}  // namespace moe
