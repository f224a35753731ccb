// Stage 1.5: a row for each router of the library, and the tests for a model that reads the future.
#include <cmath>

#include "sessions/01_overview/router_zoo/zoo.hpp"
#include "tests/sessions/stage_files.hpp"
#include "tests/train/support.hpp"

namespace moe::testing {
namespace {

using namespace session1;

class Zoo : public Session {
 protected:
  Words zoo(const std::string& out, const Words& more = {}) const {
    return stage(out, more, kPrograms + "/stage_1.5");
  }
};

TEST_F(Zoo, HasARowForEveryRouterOfTheLibraryAndMarksThoseThatReadTheFuture) {
  const Ended ended = done(zoo("run", {"--steps", "3"}));
  expect_stage_files(folder / "run", "router_zoo", 1, ended);
  const auto rows = csv_rows(contents(folder / "run/router_zoo.csv"));
  ASSERT_EQ(rows.size(), router_table().size() + 1);
  for (std::size_t i = 0; i < router_table().size(); ++i) {
    const RouterRow& row = router_table()[i];
    const Words& cells = rows[i + 1];
    EXPECT_EQ(cells[0], row.name);
    if (row.exactly_k && row.batch_invariant) {  // others drop
      const MoeConfig config = resolved({.experts = 4, .router = row.name});
      EXPECT_EQ(cells[1], concat(config.top_k, ".00")) << row.name;
    }
    EXPECT_EQ(cells[2].front() == '(', !row.causal) << cells[2];
    EXPECT_EQ(cells[3].empty(), row.causal) << row.name;
    EXPECT_EQ(cells.back() == "yes", row.causal) << row.name << ": " << cells.back();
  }
}

// The advice is for every router, so that a new one is not forgotten, and its numbers are the table's.
TEST_F(Zoo, ChoosingNamesEveryRouterWithTheNumbersOfTheTable) {
  done(zoo("run", {"--steps", "2"}));
  const auto rows = csv_rows(contents(folder / "run/router_zoo.csv"));
  const std::string advice = contents(folder / "run/choosing.md");
  EXPECT_EQ(advice.front(), '|');
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::size_t at = advice.find(concat("| `", rows[i][0], "` |"));
    ASSERT_NE(at, std::string::npos) << rows[i][0] << ": no advice in choosing.cpp";
    const std::string line = advice.substr(at, advice.find('\n', at) - at);
    EXPECT_NE(line.find(concat("| ", rows[i][2], " |")), std::string::npos) << line;
  }
}

TEST_F(Zoo, TrainsTheRoutersThatAreAskedForInTheTablesOrder) {
  done(zoo("run", {"--routers", "hash,top_k", "--seeds", "2", "--steps", "2"}));
  const auto rows = csv_rows(contents(folder / "run/router_zoo.csv"));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1][0], "top_k");
  EXPECT_EQ(rows[2][0], "hash");
  EXPECT_NE(rows[1][2].find(" ± "), std::string::npos) << "two seeds: " << rows[1][2];
  EXPECT_TRUE(fs::exists(folder / "run/hash_1/metrics.jsonl"));
  EXPECT_TRUE(fs::exists(folder / "run/hash_2/metrics.jsonl"));
}

TEST_F(Zoo, RefusesARouterThatIsNotThere) {
  expect_refused(zoo("x", {"--routers", "topk"}), 2, "did you mean top_k?");
  expect_refused(zoo("x", {"--routers", ""}), 2, "--routers");
  expect_refused(zoo("x", {"--seeds", "0"}), 2, "--seeds");
  EXPECT_FALSE(fs::exists(folder / "x"));
}

LanguageModelConfig config_of(const char* router) {
  LanguageModelConfig c = small_config(4);
  c.moe.router = router;
  return c;
}

Leak leak_of(const char* router) {
  Context ctx;
  const Corpus corpus = small_corpus();
  Trainer trainer(ctx, config_of(router), small_settings(20), corpus);
  while (!trainer.finished()) trainer.step(false);
  return measure_leak(ctx, trainer.model(), corpus, mixed_held_out(corpus, 4, kContext, 4), 9);
}

TEST(Future, OfACausalRouterMovesNothing) {
  for (const RouterRow& row : router_table()) {
    if (!row.causal || !row.batch_invariant) continue;
    const Leak leak = leak_of(row.name);
    EXPECT_EQ(leak.moved, 0) << row.name;
    EXPECT_NEAR(leak.bits_hidden, leak.bits_seen, 1e-5) << row.name;
    EXPECT_GT(leak.bits_seen, 0) << row.name;
  }
}

TEST(Future, OfExpertChoiceMovesPredictions) {
  const Leak leak = leak_of("expert_choice");
  EXPECT_GT(leak.moved, 0);
  EXPECT_LE(leak.moved, 1);
  EXPECT_NE(leak.bits_hidden, leak.bits_seen);
}

TEST(MixedText, TakesWindowsOfTheDomainsInTurn) {
  const Corpus corpus = small_corpus();
  const auto batches = mixed_held_out(corpus, 3, kContext, 2);
  ASSERT_EQ(batches.size(), 2u);
  std::size_t sequence = 0;
  for (const Batch& batch : batches) {
    EXPECT_EQ(batch.id.size(), 3u * kContext);
    EXPECT_EQ(batch.target_bytes, 3 * kContext) << "a byte is a token";
    for (std::int64_t s = 0; s < 3; ++s, ++sequence) {
      EXPECT_EQ(batch.domain[s], static_cast<int>(sequence % 2));
      const auto& text = corpus.domains[sequence % 2].held_out;
      const std::vector<Token> window(batch.id.begin() + s * kContext, batch.id.begin() + (s + 1) * kContext);
      EXPECT_NE(std::search(text.begin(), text.end(), window.begin(), window.end()), text.end());
      for (std::int64_t t = 0; t + 1 < kContext; ++t)
        EXPECT_EQ(batch.target[s * kContext + t], batch.id[s * kContext + t + 1]);
      for (std::int64_t t = 0; t < kContext; ++t) {
        EXPECT_EQ(batch.position[s * kContext + t], t);
        EXPECT_EQ(batch.sequence[s * kContext + t], s);
      }
    }
  }
}

TEST(MixedText, RepeatsADomainThatHasLittle) {
  Corpus corpus = small_corpus();
  corpus.domains.resize(1);
  auto& text = corpus.domains[0].held_out;
  text.resize(kContext + 1);  // one window
  const auto batches = mixed_held_out(corpus, 2, kContext, 1);
  const auto& id = batches.at(0).id;
  EXPECT_TRUE(std::equal(id.begin(), id.begin() + kContext, id.begin() + kContext));
}

TEST(MixedText, BitsAreNatsOverLnTwoAndBytes) {
  Batch batch;
  batch.sequences = 2, batch.length = 8, batch.target_bytes = 32;  // two bytes a token
  EXPECT_DOUBLE_EQ(bits_of(std::log(2.0), batch), 0.5);
}

}  // namespace
}  // namespace moe::testing
