// Tensors in the memory of every device: values go in and out without a context.
#include <gtest/gtest.h>

#include "common/tensor/tensor.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

namespace moe {
namespace {

using namespace testing;

TEST(TensorOnDevice, ValuesGoInAndComeOut) {
  each_device([](Context& ctx) {
    EXPECT_TRUE(close(values_of<float>(tensor_of<float>(ctx, {1, 2, 3}, {3})), {1, 2, 3}));
    EXPECT_TRUE(close(values_of<std::int32_t>(tensor_of<std::int32_t>(ctx, {-1, 7}, {2, 1})), {-1, 7}));
    EXPECT_EQ(scalar_of(tensor_of<double>(ctx, {0.25}, {1})), 0.25);
    EXPECT_TRUE(values_of<float>(Tensor::empty(ctx, DType::f32, {0, 4})).empty());
  });
}

TEST(TensorOnDevice, ZerosAreZeroInABlockUsedBefore) {
  each_device([](Context& ctx) {
    { tensor_of<float>(ctx, std::vector<float>(100, -1), {100}); }
    EXPECT_TRUE(close(values_of<float>(Tensor::zeros(ctx, DType::f32, {100})), std::vector<float>(100, 0)));
  });
}

TEST(TensorOnDevice, SlicesReadAndWriteTheirRowsOnly) {
  each_device([](Context& ctx) {
    const Tensor t = tensor_of<float>(ctx, {1, 2, 3, 4, 5, 6}, {3, 2});
    const float fresh[] = {30, 40};
    t.slice_rows(1, 2).write(fresh);
    EXPECT_TRUE(close(values_of<float>(t), {1, 2, 30, 40, 5, 6}));
    t.slice_rows(0, 1).copy_from(t.slice_rows(2, 3));
    EXPECT_TRUE(close(values_of<float>(t), {5, 6, 30, 40, 5, 6}));
    float row[2] = {0, 0};
    t.slice_rows(2, 3).read(row);
    EXPECT_EQ(row[1], 6);
  });
}

TEST(TensorOnDevice, CopiesNeedTheSameTypeAndSize) {
  Context ctx;
  const Tensor t = Tensor::zeros(ctx, DType::f32, {4});
  EXPECT_THROW(t.copy_from(Tensor::zeros(ctx, DType::i32, {4})), Error);
  EXPECT_THROW(t.copy_from(Tensor::zeros(ctx, DType::f32, {3})), Error);
  EXPECT_NO_THROW(t.copy_from(Tensor::zeros(ctx, DType::f32, {2, 2})));
}

TEST(TensorOnDevice, ValuesOutliveTheContext) {
  Tensor t;
  {
    Context ctx(Device{.kind = built_for(DeviceKind::emulated) ? DeviceKind::emulated : DeviceKind::cpu});
    t = tensor_of<float>(ctx, {1, 2}, {2});
  }
  EXPECT_TRUE(close(values_of<float>(t), {1, 2}));
}

}  // namespace
}  // namespace moe
