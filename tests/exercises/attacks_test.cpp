// Answers that try to be graded better than they are, or to break the grader. Most are the right answer except in the check
// OneExpert (one of ten points): it costs that check, with the reason, and nothing else. Each runs sealed, as always, and
// bare, as on a system without a filter of calls.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "common/grade/build_answer.hpp"
#include "common/grade/sandbox.hpp"
#include "common/grade/verdict.hpp"
#include "common/report/escape.hpp"
#include "tests/support/temporary_directory.hpp"

namespace moe::grade {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

const Exercise& top_k_gate() {
  static const std::vector<Exercise> all = find_exercises();
  return find_exercise(all, "top_k_gate");
}

fs::path attack(const std::string& name) {
  return fs::path(MOE_ATTACKS) / (name + ".cpp");
}

std::set<std::string> failed(const Verdict& verdict) {
  std::set<std::string> names;
  for (const CheckVerdict& c : verdict.checks)
    if (!c.passed) names.insert(c.name);
  return names;
}

const std::set<std::string> kOneCheck{"OneExpert"}, kNone{};

struct Attack {
  const char* name;
  const char* reason;  // stands in the failure, sealed
  const char* bare;  // and without the seal; null: then it gets nowhere, but does no harm either: it may pass
  double seconds = 2;  // allowed for a call
};

constexpr const char* kRefused = "asks the system for a file, a program, a process, a thread or the network";

const Attack kAttacks[] = {
    {"crash", "segmentation fault", "segmentation fault"},
    {"endless_loop", "does not come back", "does not come back"},
    {"endless_recursion", "segmentation fault", "segmentation fault"},
    {"fork_bomb", kRefused, "does not come back"},
    {"huge_allocation", "no memory is left", "no memory is left"},
    {"greedy_allocation", "no memory is left", "no memory is left", 10},  // gigabytes in small pieces
    {"exit_zero", "ends the program, exit(0)", "ends the program, exit(0)"},
    {"prints_passed", "writes into the pipe", "writes into the pipe"},
    {"prints_without_end", "does not come back", "does not come back"},
    {"closes_descriptors", "closes the descriptors", "closes the descriptors"},
    {"modifies_inputs", "changes its input logit", "changes its input logit"},
    {"writes_past_output", "writes past the end of weight: weight[33], but it has 33 elements",
     "past the end"},
    {"writes_before_output", "writes before the beginning of expert: expert[-3]", "before the beginning"},
    {"nan", "NaN", "NaN"},
    {"exception", "throws an exception", "throws an exception"},
    {"forges_reply", "writes into the pipe", "writes into the pipe"},
    {"forges_last_reply", "writes into the pipe", "writes into the pipe"},
    {"reads_files", kRefused, nullptr},
    {"reads_grader", kRefused, nullptr},
    {"kills_grader", kRefused, nullptr},
    {"runs_a_program", kRefused, "exit(0)"},
    {"background_process", kRefused, nullptr},
    {"thread", kRefused, nullptr},
    {"network", kRefused, nullptr},
    {"tampered_environment", "ends the program", "ends the program"},
};

void PrintTo(const Attack& a, std::ostream* out) {
  *out << a.name;
}

class Attacked : public ::testing::TestWithParam<Attack> {
 protected:
  static void expect_reason(const Verdict& verdict, const char* reason) {
    for (const CheckVerdict& c : verdict.checks) {
      if (c.name != "OneExpert") continue;
      EXPECT_NE(c.failure.find(reason), std::string::npos) << c.failure;
    }
    EXPECT_EQ(verdict.earned(), verdict.possible() - 1);
  }
};

TEST_P(Attacked, CostsItsOwnPointsOnly) {
  if (!can_seal()) GTEST_SKIP() << "this system filters no calls";
  const Verdict verdict =
      grade_answer(top_k_gate(), attack(GetParam().name), {.seed = 3, .seconds = GetParam().seconds});
  ASSERT_TRUE(verdict.built) << verdict.compiler;
  EXPECT_EQ(failed(verdict), kOneCheck);
  expect_reason(verdict, GetParam().reason);
}

TEST_P(Attacked, CostsItsOwnPointsOnlyWithoutTheFilterOfCalls) {
  if (std::string(GetParam().name) == "kills_grader" && geteuid() != 0)
    GTEST_SKIP()
        << "without a filter and a user of its own it would end all processes of whoever runs this test";
  const Verdict verdict = grade_answer(top_k_gate(), attack(GetParam().name),
                                       {.seed = 3, .seconds = GetParam().seconds, .bare = true});
  ASSERT_TRUE(verdict.built) << verdict.compiler;
  if (!GetParam().bare && failed(verdict).empty()) return;
  EXPECT_EQ(failed(verdict), kOneCheck);
  if (GetParam().bare) expect_reason(verdict, GetParam().bare);
}

INSTANTIATE_TEST_SUITE_P(All, Attacked, ::testing::ValuesIn(kAttacks),
                         [](const auto& attack_info) { return std::string(attack_info.param.name); });

// A kernel's launcher runs on the host, and could work there in the device's memory.
TEST(Attacks, OnTheDeviceCostTheirOwnCheckOnly) {
  const std::vector<Exercise> all = find_exercises();
  const Exercise& kernel = find_exercise(all, "softmax_top_k_kernel");
  if (!is_gradable(kernel)) GTEST_SKIP() << "this build has no checked device";
  for (const auto& [name, reason] : {std::pair{"host_reads", "touches the device's memory on the host"},
                                     {"endless_kernel", "does not come back"}}) {
    SCOPED_TRACE(name);
    const Verdict verdict =
        grade_answer(kernel, fs::path(MOE_ATTACKS) / (std::string(name) + ".cu"), {.seed = 3, .seconds = 3});
    ASSERT_TRUE(verdict.built) << verdict.compiler;
    EXPECT_EQ(failed(verdict), std::set<std::string>{"Ties"});
    EXPECT_NE(verdict.first_failure()->failure.find(reason), std::string::npos)
        << verdict.first_failure()->failure;
  }
}

// What memory was asked for is counted whatever a line is called: there is not room for many such names in a reply.
TEST(Attacks, LongNamesHideNoTraffic) {
  const std::vector<Exercise> all = find_exercises();
  const Exercise& kernel = find_exercise(all, "tiled_gemm");
  if (!is_gradable(kernel)) GTEST_SKIP() << "this build has no checked device";
  const TemporaryDirectory directory;
  const fs::path file = directory / "answer.cu";
  testing::put(file, concat("#line 1 \"", std::string(3300, 'a'), "\"\n",
                            testing::contents(kernel.folder / "wrong/without_tiles.cu")));
  const Verdict verdict = grade_answer(kernel, file, {.seed = 3});
  ASSERT_TRUE(verdict.built) << verdict.compiler;
  EXPECT_EQ(failed(verdict), (std::set<std::string>{"Coalesced", "BankConflicts", "Reuse"}));
}

// Before main there is no check to blame yet: every check that starts the worker fails, and says why.
TEST(Attacks, CodeBeforeMainIsSealedIn) {
  for (const char* name :
       {"exits_before_main", "reads_before_main", "reads_before_everything", "replies_before_main"}) {
    SCOPED_TRACE(name);
    const Verdict verdict = grade_answer(top_k_gate(), attack(name), {.seed = 3, .seconds = 2});
    ASSERT_TRUE(verdict.built) << verdict.compiler;
    EXPECT_EQ(verdict.earned(), 0);
    const std::string reason = verdict.checks[0].failure;
    const bool reads = std::string(name).find("reads") == 0;
    if (reads && can_seal()) {
      EXPECT_NE(reason.find(kRefused), std::string::npos) << reason;
    }
  }
}

// What is known by heart earns what is public, whatever the seed.
TEST(Attacks, HardCodedAnswersEarnThePublicExampleOnly) {
  for (const std::uint64_t seed : {1, 2}) {
    const Verdict verdict = grade_answer(top_k_gate(), attack("hard_coded"), {.seed = seed});
    EXPECT_EQ(failed(verdict),
              (std::set<std::string>{"Ties", "AllExperts", "OneExpert", "LargeLogits", "AnySize"}));
  }
}

struct Refused {
  const char* name;
  const char* reason;
};

TEST(Attacks, AnAnswerIsBuiltFromNothingButItself) {
  for (const auto& [name, reason] : {Refused{"includes_library", "kernels/top_k_gate/row.hpp"},
                                     {"includes_by_macro", ""},
                                     {"includes_reference", "reference.cpp"},
                                     {"embeds_file", ".incbin"},
                                     {"embeds_file_in_pieces", "/etc/passwd"},
                                     {"brings_a_loader", "brings no loader"},
                                     {"own_main", "main"},
                                     {"calls_library", "require_built_for"},
                                     {"fills_the_disk", ""},
                                     {"endless_template", ""}}) {
    SCOPED_TRACE(name);
    const TemporaryDirectory directory;
    const fs::path file = directory / "answer.cpp";
    testing::put(file, replaced(testing::contents(attack(name)), "@EXERCISE@", top_k_gate().folder.string()));
    const Verdict verdict = grade_answer(top_k_gate(), file, {.seed = 3, .seconds = 2});
    EXPECT_FALSE(verdict.built);
    EXPECT_EQ(verdict.earned(), 0);
    EXPECT_NE(verdict.compiler.find(reason), std::string::npos) << verdict.compiler;
  }
}

// A compiler's errors are shown to who wrote the answer: they must not say what stands in a file of the machine's.
TEST(Attacks, CompileErrorsQuoteNoOtherFile) {
  const TemporaryDirectory directory;
  fs::permissions(directory.path(), fs::perms::others_exec, fs::perm_options::add);
  testing::put(directory / "secret", "8712934650\n");
  fs::permissions(directory / "secret", fs::perms::others_read, fs::perm_options::add);
  for (const auto& [name, reason] :
       {Refused{"quotes_a_file", "an answer includes its contract and the standard library, not"},
        {"assembles_a_file", "its assembly is refused"}}) {
    SCOPED_TRACE(name);
    const fs::path file = directory / "answer.cpp";
    testing::put(file,
                 replaced(testing::contents(attack(name)), "@SECRET@", (directory / "secret").string()));
    const Verdict verdict = grade_answer(top_k_gate(), file, {.seed = 3});
    EXPECT_FALSE(verdict.built);
    EXPECT_NE(verdict.compiler.find(reason), std::string::npos) << verdict.compiler;
    EXPECT_EQ(verdict.compiler.find("8712934650"), std::string::npos) << verdict.compiler;
  }
}

// Thousands of calls, none of which is too long: the check ends all the same.
TEST(Attacks, SleepingInEveryCallEndsWithTheCheck) {
  const std::vector<Exercise> all = find_exercises();
  const Verdict verdict = grade_answer(find_exercise(all, "beat_the_router"), attack("sleeps"),
                                       {.seed = 3, .check = "WellFormed", .seconds = 0.25});
  ASSERT_TRUE(verdict.built) << verdict.compiler;
  ASSERT_NE(verdict.first_failure(), nullptr);
  EXPECT_NE(verdict.first_failure()->failure.find("for all calls of this check"), std::string::npos)
      << verdict.first_failure()->failure;
}

// Whatever an answer does, nothing of it is there afterwards.
TEST(Attacks, NothingStaysBehind) {
  const TemporaryDirectory directory;  // workers of other tests, which run at the same time, lie elsewhere
  setenv("TMPDIR", directory.path().c_str(), 1);
  fs::permissions(directory.path(), fs::perms::others_exec, fs::perm_options::add);
  const auto count = [&] {
    int n = 0;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      std::ifstream command(entry.path() / "cmdline");
      std::string word;
      std::getline(command, word, '\0');
      n += word.starts_with(directory.path().string());
    }
    return n;
  };
  for (const char* name : {"fork_bomb", "background_process", "endless_loop"})
    for (const bool bare : {false, true})
      grade_answer(top_k_gate(), attack(name),
                   {.seed = 3, .check = "OneExpert", .seconds = 0.5, .bare = bare});
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(fs::is_empty(directory.path()));
  unsetenv("TMPDIR");
}

}  // namespace
}  // namespace moe::grade
