#include "common/app/interrupt.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "common/app/main.hpp"

// Signals belong to the process: every case runs in a child.
namespace moe {
namespace {

TEST(Interrupt, TheFirstSignalSetsTheFlagAndSaysSo) {
  const auto child = [] {
    InterruptGuard guard("saving a checkpoint");
    if (interrupted()) std::_Exit(1);
    std::raise(SIGINT);
    std::_Exit(interrupted() ? 0 : 2);
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "saving a checkpoint");
}

TEST(Interrupt, TheSecondSignalEndsAtOnce) {
  const auto child = [] {
    InterruptGuard guard;
    std::raise(SIGTERM);
    std::raise(SIGINT);
    std::_Exit(0);
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(kExitInterrupted), "Stopping after this step");
}

// oneDNN's products keep the stack pointer in the heap for a while: a frame put below it would destroy what lies there.
TEST(Interrupt, TheHandlersHaveAStackOfTheirOwn) {
  const auto child = [] {
    InterruptGuard guard;
    for (const int signal : {SIGINT, SIGTERM}) {
      struct sigaction action {};
      sigaction(signal, nullptr, &action);
      if (!(action.sa_flags & SA_ONSTACK)) std::_Exit(1);
    }
    stack_t stack{};
    sigaltstack(nullptr, &stack);
    std::_Exit(stack.ss_flags & SS_DISABLE ? 2 : 0);
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "");
}

TEST(Interrupt, AfterTheGuardSignalsWorkAsBefore) {
  const auto child = [] {
    std::signal(SIGINT, SIG_DFL);  // whoever runs the tests may ignore it
    { InterruptGuard guard; }
    std::raise(SIGINT);
    std::_Exit(0);
  };
  EXPECT_EXIT(child(), ::testing::KilledBySignal(SIGINT), "");
}

TEST(Interrupt, ANewGuardStartsAfresh) {
  const auto child = [] {
    {
      InterruptGuard guard;
      std::raise(SIGINT);
    }
    InterruptGuard guard;
    std::_Exit(interrupted() ? 1 : 0);
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace moe
