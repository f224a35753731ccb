#include "common/moe/routers/hash.hpp"

#include <gtest/gtest.h>

#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

// Checkpoints know their experts by these: they must never change. Each layer has a table of its own.
TEST(Hash, TheTablesStayWhatTheyAre) {
  Context ctx;
  MoeConfig config = moe_config({0, 1, 4, 8, 2});
  config.router = "hash";
  RouterCase<double> router(ctx, config, 1);
  const Batch b{1, {0, 0, 0, 0}, {0, 1, 255, 65535}};
  const TokenInfo info = router.tokens(b);
  const auto of_layer = [&](int layer) {
    ForwardContext f{.ctx = ctx, .tokens = &info, .layer = layer};
    return values_of<std::int32_t>(router.router->route(f, router.input(b)).expert);
  };
  EXPECT_EQ(of_layer(0), (std::vector<std::int32_t>{6, 5, 3, 7, 7, 6, 1, 4}));
  EXPECT_EQ(of_layer(1), (std::vector<std::int32_t>{3, 0, 0, 4, 1, 4, 6, 1}));
}

TEST(Hash, IdsOfOtherTokensAreRefused) {
  Context ctx;
  MoeConfig config = moe_config({0, 1, 4, 8, 2});
  config.router = "hash";
  RouterCase<double> router(ctx, config, 1);
  const TokenInfo info = router.tokens({1, {0, 0, 0}, {1, 2, 3}}), none;
  for (const TokenInfo* tokens : {&info, &none}) {
    ForwardContext f{.ctx = ctx, .tokens = tokens};
    EXPECT_THROW(router.router->route(f, router.input({1, {0, 0}, {1, 2}})), Error);
  }
}

}  // namespace
}  // namespace moe::testing
