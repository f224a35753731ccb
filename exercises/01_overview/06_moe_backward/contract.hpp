// The backward pass of a top-k MoE layer whose experts are single matrices. README.md says what the function must do.
#pragma once

#include <cstdint>

void moe_backward(double* dx,                  // (N, D) out
                  double* dw_router,           // (E, D) out
                  double* dw_expert,           // (E, O, D) out
                  const double* dy,            // (N, O) the loss's gradient at the layer's output
                  const double* x,             // (N, D) the layer's input
                  const double* w_router,      // (E, D) logit[n,e] = w_router[e] . x[n]
                  const double* w_expert,      // (E, O, D) expert e makes w_expert[e] . x[n]
                  const std::int32_t* expert,  // (N, K) the choices that the forward pass made
                  const double* gate,          // (N, K) their weights: the softmax over the K chosen logits
                  std::int64_t N, std::int64_t D, std::int64_t O, std::int64_t E, std::int64_t K);
