// Routing by a balanced matrix. README.md says what these must do.
#pragma once

#include <cstdint>

// Softmax of every row; then, `iterations` times: columns scaled to sum to N/E, rows scaled to sum to 1.
void sinkhorn(float* balanced,     // (N, E) out
              const float* score,  // (N, E)
              std::int64_t N, std::int64_t E, std::int64_t iterations);

// One expert for every token.
void sinkhorn_route(std::int32_t* expert,  // (N) out
                    float* weight,         // (N) out: of the chosen expert
                    const float* score,    // (N, E)
                    bool training, std::int64_t N, std::int64_t E, std::int64_t iterations);
