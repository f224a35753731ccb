#include "common/tensor/tensor.hpp"

#include <cstring>
#include <numeric>

#include "common/tensor/parameter.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using testing::close;

std::vector<float> counting(std::int64_t n) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

TEST(Tensor, AnUndefinedOneHasNoStorage) {
  const Tensor t;
  EXPECT_FALSE(t.defined());
  EXPECT_EQ(t.numel(), 0);
  EXPECT_EQ(t.raw(), nullptr);
  EXPECT_FALSE(t.sole_owner());
}

TEST(Tensor, KnowsItsShape) {
  Context ctx;
  const Tensor t = Tensor::empty(ctx, DType::f64, {4, 3, 2});
  EXPECT_TRUE(t.defined());
  EXPECT_EQ(t.dtype(), DType::f64);
  EXPECT_EQ(t.numel(), 24);
  EXPECT_EQ(t.rows(), 4);
  EXPECT_EQ(t.width(), 6);
  EXPECT_EQ(t.bytes(), 24U * 8);
  EXPECT_EQ(t.size(0), 4);
  EXPECT_EQ(t.size(1), 3);
  EXPECT_EQ(t.size(-1), 2);
  EXPECT_EQ(t.size(-3), 4);
  EXPECT_THROW(t.size(3), std::exception);
  EXPECT_THROW(t.size(-4), std::exception);
  EXPECT_EQ(to_string(t.shape()), "(4, 3, 2)");
  EXPECT_EQ(to_string(Shape{}), "()");
  EXPECT_EQ(element_count({4, 3, 2}), 24);
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({5, 0, 2}), 0);
}

TEST(Tensor, ARankZeroTensorIsOneRowOfOneElement) {
  Context ctx;
  const Tensor t = tensor_of<double>(ctx, {2.5}, {});
  EXPECT_EQ(t.numel(), 1);
  EXPECT_EQ(t.rows(), 1);
  EXPECT_EQ(t.width(), 1);
  EXPECT_EQ(scalar_of(t), 2.5);
  EXPECT_THROW(t.slice_rows(0, 1), Error) << "there is no axis to slice";
}

// A batch without tokens passes through layers that check their width.
TEST(Tensor, NoRowsStillHaveAWidth) {
  Context ctx;
  const Tensor t = Tensor::zeros(ctx, DType::f32, {0, 5, 2});
  EXPECT_TRUE(t.defined());
  EXPECT_EQ(t.numel(), 0);
  EXPECT_EQ(t.rows(), 0);
  EXPECT_EQ(t.width(), 10);
  EXPECT_EQ(t.bytes(), 0U);
  EXPECT_TRUE(values_of<float>(t).empty());
  EXPECT_EQ(t.slice_rows(0, 0).shape(), Shape({0, 5, 2}));
  EXPECT_EQ(t.reshape({7, 0}).width(), 0);
}

TEST(Tensor, ZerosOverwriteWhatTheBlockHeldBefore) {
  Context ctx;
  { std::memset(Tensor::empty(ctx, DType::f32, {100}).raw(), 0xff, 400); }
  EXPECT_TRUE(close(values_of<float>(Tensor::zeros(ctx, DType::f32, {100})), std::vector<float>(100, 0)));
}

TEST(Tensor, ACopyIsAHandle) {
  Context ctx;
  const Tensor a = tensor_of(ctx, counting(6), {2, 3});
  const Tensor b = a;
  b.data<float>()[4] = 40;
  EXPECT_EQ(a.data<float>()[4], 40);
  EXPECT_EQ(a.raw(), b.raw());
}

TEST(Tensor, SlicesShareStorage) {
  Context ctx;
  const Tensor t = tensor_of(ctx, counting(12), {4, 3});
  const Tensor middle = t.slice_rows(1, 3);
  EXPECT_EQ(middle.shape(), Shape({2, 3}));
  EXPECT_EQ(middle.numel(), 6);
  EXPECT_TRUE(close(values_of<float>(middle), {3, 4, 5, 6, 7, 8}));
  middle.data<float>()[0] = 30;
  EXPECT_EQ(t.data<float>()[3], 30);
  EXPECT_TRUE(close(values_of<float>(middle.slice_rows(1, 2)), {6, 7, 8})) << "a slice of a slice";
  EXPECT_EQ(t.slice_rows(4, 4).numel(), 0);
}

TEST(Tensor, SlicesStepByTheSizeOfTheirElements) {
  Context ctx;
  EXPECT_TRUE(
      close(values_of<double>(tensor_of<double>(ctx, {1, 2, 3, 4}, {2, 2}).slice_rows(1, 2)), {3, 4}));
  EXPECT_TRUE(close(values_of<std::int32_t>(tensor_of<std::int32_t>(ctx, {1, 2, 3, 4}, {4}).slice_rows(2, 4)),
                    {3, 4}));
}

TEST(Tensor, SlicesStayInside) {
  Context ctx;
  const Tensor t = Tensor::zeros(ctx, DType::f32, {4, 3});
  EXPECT_THROW(t.slice_rows(-1, 2), Error);
  EXPECT_THROW(t.slice_rows(3, 2), Error);
  EXPECT_THROW(t.slice_rows(0, 5), Error);
  EXPECT_THROW(Tensor().slice_rows(0, 0), Error);
}

TEST(Tensor, ReshapeKeepsElementsAndChecksTheirNumber) {
  Context ctx;
  const Tensor t = tensor_of(ctx, counting(12), {4, 3});
  const Tensor r = t.reshape({2, 6});
  EXPECT_EQ(r.shape(), Shape({2, 6}));
  EXPECT_EQ(r.raw(), t.raw());
  EXPECT_EQ(t.shape(), Shape({4, 3})) << "the original keeps its shape";
  EXPECT_THROW(t.reshape({5, 2}), Error);
  EXPECT_THROW(t.reshape({}), Error);
  EXPECT_THROW(t.reshape({-4, -3}), Error) << "the product alone is right";
  EXPECT_TRUE(close(values_of<float>(t.slice_rows(2, 4).reshape({6})), {6, 7, 8, 9, 10, 11}));
}

TEST(Tensor, RefusesNegativeSizes) {
  Context ctx;
  EXPECT_THROW(Tensor::empty(ctx, DType::f32, {2, -1}), Error);
  EXPECT_THROW(Tensor::zeros(ctx, DType::f32, {-2, -1}), Error);
}

TEST(Tensor, AccessWithAnotherTypeThrows) {
  Context ctx;
  const Tensor f = Tensor::zeros(ctx, DType::f32, {2}), i = Tensor::zeros(ctx, DType::i32, {2});
  EXPECT_NO_THROW(f.data<float>());
  EXPECT_THROW(f.data<double>(), Error);
  EXPECT_THROW(f.data<std::int32_t>(), Error);
  EXPECT_THROW(i.data<float>(), Error) << "same size, other meaning";
  EXPECT_THROW(values_of<double>(f), Error);
}

TEST(Tensor, SoleOwnerUntilSomebodySharesIt) {
  Context ctx;
  Tensor t = Tensor::zeros(ctx, DType::f32, {4, 3});
  EXPECT_TRUE(t.sole_owner());
  {
    const Tensor slice = t.slice_rows(0, 1);
    EXPECT_FALSE(t.sole_owner());
    EXPECT_FALSE(slice.sole_owner());
  }
  EXPECT_TRUE(t.sole_owner());
  const Tensor moved = std::move(t);
  EXPECT_TRUE(moved.sole_owner());
}

TEST(Tensor, ASliceKeepsTheStorageAlive) {
  Context ctx;
  const Tensor tail = tensor_of(ctx, counting(12), {4, 3}).slice_rows(3, 4);
  const Tensor other =
      tensor_of(ctx, std::vector<float>(12, -1), {4, 3});  // would take a block returned too early
  EXPECT_TRUE(close(values_of<float>(tail), {9, 10, 11}));
  EXPECT_TRUE(tail.sole_owner());
}

TEST(Tensor, StorageOutlivesItsContext) {
  Tensor t;
  {
    Context ctx;
    t = tensor_of(ctx, counting(1000), {1000});
  }
  EXPECT_TRUE(close(values_of<float>(t), counting(1000)));
}

TEST(Tensor, BlocksAreUsedAgain) {
  Context ctx;
  EXPECT_EQ(ctx.allocator->live_bytes(), 0U);
  std::size_t live = 0, peak = 0;
  const void* block = nullptr;
  for (int step = 0; step < 100; ++step) {
    const Tensor a = Tensor::empty(ctx, DType::f32, {1000, 33}), b = Tensor::zeros(ctx, DType::f64, {100}),
                 slice = a.slice_rows(1, 2);
    if (step == 0) {
      live = ctx.allocator->live_bytes();
      peak = ctx.allocator->peak_bytes();
      block = a.raw();
      EXPECT_GE(live, a.bytes() + b.bytes());
      EXPECT_LE(static_cast<double>(live), 1.3 * static_cast<double>(a.bytes() + b.bytes()))
          << "size classes waste a quarter";
    }
    EXPECT_EQ(ctx.allocator->live_bytes(), live);
    EXPECT_EQ(ctx.allocator->peak_bytes(), peak);
    EXPECT_EQ(a.raw(), block);
  }
  EXPECT_EQ(ctx.allocator->live_bytes(), 0U);
  EXPECT_EQ(ctx.allocator->peak_bytes(), peak);
}

TEST(Tensor, StandsOnACacheLine) {
  Context ctx;
  for (const std::int64_t n : {0, 1, 31, 33, 1000})
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(Tensor::empty(ctx, DType::f32, {n}).raw()) % 64, 0U) << n;
}

TEST(Tensor, ValuesGoInAndComeOut) {
  Context ctx;
  const std::vector<std::int32_t> values = {-1, 0, 2147483647};
  EXPECT_TRUE(close(values_of<std::int32_t>(tensor_of(ctx, values, {3, 1})), values));
  EXPECT_TRUE(values_of<float>(tensor_of(ctx, std::vector<float>{}, {0})).empty());
  EXPECT_THROW(tensor_of(ctx, values, {2}), Error);
  EXPECT_THROW(tensor_of(ctx, values, {4}), Error);
}

TEST(Tensor, ScalarOfTakesOneElementOfAFloatingType) {
  Context ctx;
  EXPECT_EQ(scalar_of(tensor_of<float>(ctx, {0.5F}, {1})), 0.5);
  EXPECT_EQ(scalar_of(tensor_of<double>(ctx, {-0.1}, {1, 1})), -0.1);
  EXPECT_THROW(scalar_of(tensor_of<float>(ctx, {1, 2}, {2})), Error);
  EXPECT_THROW(scalar_of(Tensor::zeros(ctx, DType::f32, {0})), Error);
  EXPECT_THROW(scalar_of(Tensor()), Error);
}

TEST(Parameter, DecaysUnlessItStartsAsOnes) {
  Context ctx;
  const Parameter weight = make_parameter(ctx, DType::f32, {3, 2}, 0.02, ParameterGroup::expert);
  EXPECT_EQ(weight.value.shape(), Shape({3, 2}));
  EXPECT_TRUE(weight.decay);
  EXPECT_FALSE(weight.has_grad);
  EXPECT_EQ(weight.group, ParameterGroup::expert);
  EXPECT_FALSE(make_parameter(ctx, DType::f32, {3}, 0).decay);
}

}  // namespace
}  // namespace moe
