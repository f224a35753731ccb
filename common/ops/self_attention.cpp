#include "common/ops/ops.hpp"
#include "kernels/attention/attention.hpp"
#include "kernels/base/copy.hpp"
#include "kernels/rope/rope.hpp"

namespace moe::ops {
namespace {

// q, k, v as views of one packed row of (H + 2G)·W.
AttentionShape packed_shape(const SelfAttention& s) {
  const std::int64_t ld = (s.H + 2 * s.G) * s.W;
  return {s.B, s.T, s.T, s.H, s.G, s.W, ld, ld, s.H * s.W, s.T, 0, true};
}

RopeShape rope_shape(const SelfAttention& s, bool inverse) {
  return {s.B * s.T, s.H + s.G, s.W, (s.H + 2 * s.G) * s.W, s.rope_theta, inverse};
}

template <class T>
Tensor attend_cached(Context& ctx, const Tensor& qkv, const SelfAttention& s, KvCache& cache) {
  MOE_CHECK(s.B == 1 && cache.length + s.T <= cache.kv.rows(), s.T, " positions after ", cache.length,
            " in a cache of ", cache.kv.rows());
  const std::int64_t kv_width = 2 * s.G * s.W, ld = (s.H + 2 * s.G) * s.W;
  T* kv = cache.kv.data<T>();
  const T* k = qkv.data<T>() + s.H * s.W;
  for (std::int64_t t = 0; t < s.T; ++t)
    copy_on_device(ctx, kv + (cache.length + t) * kv_width, k + t * ld, kv_width * sizeof(T));
  AttentionShape shape = packed_shape(s);
  shape.Tk = cache.length + s.T;
  shape.ld_kv = kv_width;
  shape.kv_capacity = cache.kv.rows();
  shape.query_offset = cache.length;
  cache.length = shape.Tk;
  Tensor o = Tensor::empty(ctx, qkv.dtype(), {s.T, s.H * s.W});
  moe::attention<T>(ctx, o.data<T>(), nullptr, qkv.data<T>(), kv, kv + s.G * s.W, shape);
  return o;
}

template <class T>
void backward(Gradients& g, const Tensor& qkv, const Tensor& o, const Tensor& logsumexp,
              const Tensor& position, const SelfAttention& s) {
  const Tensor d = Tensor::empty(g.ctx, qkv.dtype(), qkv.shape());
  const std::int64_t k = s.H * s.W, v = (s.H + s.G) * s.W;
  T* dq = d.data<T>();
  const T* q = qkv.data<T>();
  moe::attention_backward<T>(g.ctx, dq, dq + k, dq + v, g.of_output().data<T>(), q, q + k, q + v, o.data<T>(),
                             logsumexp.data<T>(), packed_shape(s));
  moe::rope<T>(g.ctx, dq, position.data<std::int32_t>(), rope_shape(s, true));
  g.give(0, d);
}

}  // namespace

Value self_attention(ForwardContext& f, const Value& x, const Tensor& position, const SelfAttention& s,
                     KvCache* cache) {
  const Tensor& qkv = x.tensor;
  MOE_CHECK(qkv.rows() == s.B * s.T && qkv.width() == (s.H + 2 * s.G) * s.W, to_string(qkv.shape()));
  MOE_CHECK(!cache || !f.tape, "a KV cache is for inference");
  dispatch(qkv.dtype(), [&]<class T>(T) {
    moe::rope<T>(f.ctx, qkv.data<T>(), position.data<std::int32_t>(), rope_shape(s, false));
  });
  if (cache)
    return dispatch(qkv.dtype(), [&]<class T>(T) { return attend_cached<T>(f.ctx, qkv, s, *cache); });

  Tensor o = Tensor::empty(f.ctx, qkv.dtype(), {qkv.rows(), s.H * s.W});
  Tensor logsumexp = f.tape ? Tensor::empty(f.ctx, qkv.dtype(), {s.B, s.H, s.T}) : Tensor{};
  dispatch(qkv.dtype(), [&]<class T>(T) {
    const T* q = qkv.data<T>();
    moe::attention<T>(f.ctx, o.data<T>(), f.tape ? logsumexp.data<T>() : nullptr, q, q + s.H * s.W,
                      q + (s.H + s.G) * s.W, packed_shape(s));
  });
  if (!f.tape) return o;
  return f.tape->record({x}, o, [=](Gradients& g) {
    dispatch(qkv.dtype(), [&]<class T>(T) { backward<T>(g, qkv, o, logsumexp, position, s); });
  });
}

}  // namespace moe::ops
