// Router: decides which experts a token visits and with what weight. One small file a router in this folder, made of
// kernel operations only; to add one, write the file and add a row to the table in router.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "common/moe/config.hpp"
#include "common/moe/routing.hpp"

namespace moe {

class Router {
 public:
  virtual ~Router() = default;

  // x (N, D). Pushes its losses to f.losses and what may be logged to f.metrics:
  //   "choice" (E) i32  how often each expert was chosen, before capacity dropping
  //   "probability" (N, E), where the router has a distribution
  //   "expert" (N, K) i32, -1 where dropped, and "weight" (N, K); (N, E) of a router whose experts choose
  virtual Routing route(ForwardContext& f, const Value& x) = 0;
  virtual void visit(const ParameterVisitor& visitor, const std::string& prefix) = 0;
};

// What a layer does for a token, in the mean: rows that experts work on, and FLOPs besides those and the router's matrices.
struct TokenWork {
  double expert_rows, mixing_flops;
};

struct RouterRow {
  const char* name;      // MoeConfig::router
  const char* summary;   // one line, with the paper
  bool causal;           // no later token of a batch changes where a token goes
  bool batch_invariant;  // nor does any other token at all
  bool compares_in_training =
      false;              // in training tokens do compete: causal and batch_invariant are of inference
  bool exactly_k = true;  // every token asks for K experts, neither more nor fewer
  const char* uses;       // keys of fields.hpp that it reads, separated by blanks; no other has an effect
  void (*resolve)(MoeConfig& config) = nullptr;  // fills in what the router implies
  // What it visits; null: weight (E, D).
  std::vector<RouterParameter> (*parameters)(const MoeConfig& config, std::int64_t D) = nullptr;
  // In sequences of T tokens; null: K rows.
  TokenWork (*work)(const MoeConfig& config, std::int64_t D, std::int64_t T) = nullptr;
  std::unique_ptr<Router> (*make)(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D);
};
std::span<const RouterRow> router_table();
const RouterRow* find_router(std::string_view name);  // null: no such row

// Of the resolved config. Throws UserError (usage) for a name that is not in the table, or K out of 1..E.
std::unique_ptr<Router> make_router(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D);

}  // namespace moe
