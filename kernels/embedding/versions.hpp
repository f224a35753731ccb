// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/embedding/embedding.hpp"

namespace moe {

MOE_DEVICE_VERSION(Embedding<float>, embedding_naive)
MOE_DEVICE_VERSION(EmbeddingBackward<float>, embedding_backward_naive)

}  // namespace moe
