// Which version of an operation a call takes.
#include "kernels/base/operation.hpp"

#include <gtest/gtest.h>

namespace moe {
namespace {

using Note = void(Context&, int* which);
template <int number>
void note(Context&, int* which) {
  *which = number;
}
constexpr Version<Note> versions[] = {
    {"plain", DeviceKind::cpu, 0, note<1>},
    {"fast", DeviceKind::cpu, 0, note<2>},
    {"rounded", DeviceKind::cpu, 0, note<3>, DType::bf16},
    {"0_library", DeviceKind::emulated, 0, note<4>},
    {"1_naive", DeviceKind::emulated, 0, note<5>},
    {"2_mma", DeviceKind::emulated, 80, note<6>},
};
const Operation<Note> operation{"note", versions};

int taken(Context& ctx) {
  int which = 0;
  operation(ctx, &which);
  return which;
}

TEST(Operation, TheLastVersionThatSuitsIsTaken) {
  Context ctx;
  EXPECT_EQ(taken(ctx), 2);
  ctx.matrix_inputs = DType::bf16;
  EXPECT_EQ(taken(ctx), 3);
  ctx.device = {DeviceKind::emulated, 0, 75};
  EXPECT_EQ(taken(ctx), 5);
  ctx.device.sm = 80;
  EXPECT_EQ(taken(ctx), 6);
}

TEST(Operation, AChosenVersionComesBeforeTheBest) {
  Context ctx;
  ctx.chosen = {{"other", "none"}, {"note", "plain"}};
  EXPECT_EQ(taken(ctx), 1);
  ctx.device = {DeviceKind::emulated, 0, 80};
  ctx.chosen = {{"note", "0_library"}};
  EXPECT_EQ(taken(ctx), 4);
}

TEST(Operation, AChoiceThatIsNotThereNamesThoseThatAre) {
  Context ctx;
  for (const char* name : {"rounded", "1_naive", ""}) {  // for other inputs, on another device, nowhere
    ctx.chosen = {{"note", name}};
    try {
      taken(ctx);
      FAIL() << name;
    } catch (const UserError& e) {
      EXPECT_EQ(e.code(), ExitCode::usage);
      EXPECT_NE(std::string(e.what()).find("plain, fast"), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace moe
