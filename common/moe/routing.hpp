// Routing: the decisions of a router as one list, and the plan that carries them out.
//
// Token choice, expert choice, hash, BASE, top-p, null experts and capacity drops all produce a list of assignments
// (token, expert, weight). Experts only ever see rows grouped by expert: (rows (A, D), offset (E+1)), ragged, never padded.
#pragma once

#include <optional>

#include "common/ops/ops.hpp"

namespace moe {

// Soft MoE decides nothing: every expert has slots, mixtures of all tokens of a sequence (common/moe/slots.hpp carries it
// out). B sequences of T tokens, M slots each.
struct DensePlan {
  std::int64_t sequences = 1;  // B
  Value dispatch;              // (B·M, T): what each slot takes of each token; rows sum to 1
  Value combine;               // (B·T, M): what each token takes of each slot; rows sum to 1
};

struct Routing {
  Tensor expert;  // (M) i32; -1: dropped, the token passes through the residual only
  Value weight;   // (M)
  Tensor token;   // (M) i32 in [0, N); undefined for a token-major list (N, K), where it is element / K
  std::int64_t per_token = 0;  // K of a token-major list, else 0
  std::optional<DensePlan> dense =
      {};  // instead of a list: expert and token are undefined, weight is dense->combine
};

struct SparsePlan {
  ops::RowMap map;
  Tensor offset;  // (E+1): expert e owns rows offset[e] .. offset[e+1]; offset[E] = assignments kept
  Tensor row;     // (A): row of each list element, -1 if dropped; map.row where the list is token-major
};

// The plan, by a stable sort: within an expert, rows keep the order of the list. A = M, known without reading anything back.
// rows (A, D): x (N, D) as the plan orders it, for `E` experts.
struct Dispatch {
  SparsePlan plan;
  Value rows;
};
Dispatch dispatch_tokens(ForwardContext& f, const Routing& routing, const Value& x, std::int64_t E);

}  // namespace moe
