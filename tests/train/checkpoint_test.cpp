// Stopping and going on must be invisible in the bytes; going on with something else must be refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "common/io/checkpoint_directory.hpp"
#include "common/io/safetensors.hpp"
#include "tests/train/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;
namespace fs = std::filesystem;

struct Job {
  Context ctx;
  Corpus corpus;
  Trainer trainer;
  explicit Job(const LanguageModelConfig& config, const TrainSettings& settings = small_settings(20),
               int threads = 2, std::uint64_t text = 1)
      : ctx(threads), corpus(small_corpus(text)), trainer(ctx, config, settings, corpus) {}
  void steps(int n) {
    for (int i = 0; i < n; ++i) trainer.step(false);
  }
};

// Model and moments as the checkpoint of a run holds them: equal files are equal bits.
std::pair<std::string, std::string> files_of(const fs::path& run) {
  const Checkpoint checkpoint = open_checkpoint(run);
  return {contents(checkpoint.file("model.safetensors")), contents(checkpoint.file("optimizer.safetensors"))};
}

void expect_resume_is_invisible(const LanguageModelConfig& config) {
  TemporaryDirectory straight, stopped, resumed;
  Job whole(config);
  whole.steps(17);
  whole.trainer.save(straight.path());

  Job first(config);
  first.steps(9);
  first.trainer.save(stopped.path());
  first.steps(1);  // saving changes nothing for the trainer that goes on
  Job second(config, small_settings(20), 3);
  second.steps(4);  // a trainer with a past: loading must replace all of it
  second.trainer.load(stopped.path());
  EXPECT_EQ(second.trainer.steps_done(), 9);
  second.steps(1);
  EXPECT_TRUE(same_bytes(parameters_of(second.trainer.model()), parameters_of(first.trainer.model())));
  second.steps(7);
  second.trainer.save(resumed.path());

  EXPECT_TRUE(same_bytes(parameters_of(second.trainer.model()), parameters_of(whole.trainer.model())));
  EXPECT_EQ(files_of(resumed.path()), files_of(straight.path()));
}

TEST(Checkpoint, ResumingADenseModelIsBitIdenticalToNeverHavingStopped) {
  expect_resume_is_invisible(small_config(0));
}
TEST(Checkpoint, ResumingAnMoeModelIsBitIdenticalToNeverHavingStopped) {
  expect_resume_is_invisible(small_config(4));
}
TEST(Checkpoint, ResumingATiedHeadIsBitIdenticalToNeverHavingStopped) {
  expect_resume_is_invisible(small_config(4, true));
}
TEST(Checkpoint, ResumingSwitchRoutingIsBitIdenticalToNeverHavingStopped) {
  LanguageModelConfig config = small_config(4);
  config.moe.router = "switch";
  config.moe.top_k = 1;
  expect_resume_is_invisible(config);
}

TEST(Checkpoint, ARunMeansItsNewestCheckpointAndFieldsComeBack) {
  TemporaryDirectory run;
  Job job(small_config(4));
  job.steps(3);
  job.trainer.save(run.path(), {{"seconds", "1.5"}});
  job.steps(4);
  job.trainer.save(run.path(), {{"seconds", "2.5"}});
  Job newest(small_config(4)), older(small_config(4));
  EXPECT_EQ(newest.trainer.load(run.path()).at("seconds"), "2.5");
  EXPECT_EQ(newest.trainer.steps_done(), 7);
  EXPECT_EQ(older.trainer.load(run / "checkpoint-00000003").at("seconds"), "1.5");
  EXPECT_EQ(older.trainer.steps_done(), 3);
}

class CheckpointRefusal : public ::testing::Test {
 protected:
  CheckpointRefusal() {
    Job job(small_config(4));
    job.steps(5);
    job.trainer.save(run.path());
  }
  std::string refusal(const LanguageModelConfig& config, const TrainSettings& settings,
                      std::uint64_t text = 1) {
    Job job(config, settings, 1, text);
    const std::vector<float> before = parameters_of(job.trainer.model());
    const std::string said = complaint([&] { job.trainer.load(run.path()); });
    EXPECT_TRUE(same_bytes(parameters_of(job.trainer.model()), before))
        << "a refused checkpoint left something behind";
    EXPECT_EQ(job.trainer.steps_done(), 0);
    return said;
  }
  std::string refusal() { return refusal(small_config(4), small_settings(20)); }
  fs::path file(const std::string& name) const { return run / ("checkpoint-00000005/" + name); }
  void flip_bit(const fs::path& path, std::size_t at) const {
    std::string bytes = contents(path);
    bytes.at(at) ^= 4;
    std::ofstream(path, std::ios::binary) << bytes;
  }
  TemporaryDirectory run;
};

TEST_F(CheckpointRefusal, NothingIsRefusedWhenAllIsAlike) {
  Job job(small_config(4));
  job.trainer.load(run.path());
  EXPECT_EQ(job.trainer.steps_done(), 5);
}

TEST_F(CheckpointRefusal, AnotherModelIsRefused) {
  const std::vector<std::function<void(LanguageModelConfig&)>> changes = {
      [](auto& c) { c.moe.experts = 5; },        [](auto& c) { c.moe.experts = 0; },
      [](auto& c) { c.moe.top_k = 1; },          [](auto& c) { c.tied_head = true; },
      [](auto& c) { c.rope_theta = 500; },       [](auto& c) { c.moe.balance_coefficient = 0.02; },
      [](auto& c) { c.moe.capacity_factor = 2; }};
  for (const auto& change : changes) {
    LanguageModelConfig config = small_config(4);
    change(config);
    EXPECT_TRUE(says(refusal(config, small_settings(20)), "4: ", "another configuration"));
  }
}

TEST_F(CheckpointRefusal, OtherSettingsAreRefusedByName) {
  const std::vector<std::pair<std::string, std::function<void(TrainSettings&)>>> changes = {
      {"seed 5, now it is 6", [](auto& s) { s.seed = 6; }},
      {"steps 20, now it is 21", [](auto& s) { s.steps = 21; }},
      {"sequences 3, now it is 4", [](auto& s) { s.sequences = 4; }},
      {"length 16, now it is 8", [](auto& s) { s.length = 8; }},
      {"learning_rate 0.01, now it is 0.02", [](auto& s) { s.learning_rate = 0.02; }},
      {"learning_rate 0.01, now it is 0.010000001", [](auto& s) { s.learning_rate = 0.010000001; }},
      {"weight_decay", [](auto& s) { s.weight_decay = 0; }},
      {"warmup_fraction", [](auto& s) { s.warmup_fraction = 0.1; }},
      {"max_norm", [](auto& s) { s.max_norm = 2; }}};
  for (const auto& [words, change] : changes) {
    TrainSettings settings = small_settings(20);
    change(settings);
    EXPECT_TRUE(says(refusal(small_config(4), settings), "4: ", words));
  }
}

TEST_F(CheckpointRefusal, AnotherTextIsRefused) {
  EXPECT_TRUE(says(refusal(small_config(4), small_settings(20), 2), "4: ", "trained with corpus"));
}

TEST_F(CheckpointRefusal, ATruncatedFileIsRefused) {
  for (const char* name : {"model.safetensors", "optimizer.safetensors", "config.json", "manifest.json"}) {
    const std::string whole = contents(file(name));
    fs::resize_file(file(name), whole.size() - 1);
    EXPECT_TRUE(says(refusal(), "4: ", name));
    std::ofstream(file(name), std::ios::binary) << whole;
  }
  EXPECT_EQ(complaint([&] { open_checkpoint(run.path()); }), "");
}

TEST_F(CheckpointRefusal, AFlippedBitIsRefused) {
  for (const char* name : {"model.safetensors", "optimizer.safetensors", "config.json", "manifest.json"})
    for (const double place : {0.1, 0.5, 0.99}) {
      const auto at = static_cast<std::size_t>(place * static_cast<double>(fs::file_size(file(name))));
      flip_bit(file(name), at);
      EXPECT_TRUE(says(refusal(), "4: ", name)) << "byte " << at;
      flip_bit(file(name), at);
    }
  EXPECT_EQ(complaint([&] { open_checkpoint(run.path()); }), "");
}

TEST_F(CheckpointRefusal, AMissingFileIsRefused) {
  fs::remove(file("optimizer.safetensors"));
  EXPECT_TRUE(says(refusal(), "4: ", "optimizer.safetensors: is missing"));
}

TEST_F(CheckpointRefusal, ARunWithoutCheckpointIsRefused) {
  TemporaryDirectory empty;
  Job job(small_config(4));
  EXPECT_TRUE(says(complaint([&] { job.trainer.load(empty.path()); }), "4: ", "no finished checkpoint"));
  EXPECT_TRUE(says(complaint([&] { job.trainer.load(empty / "nowhere"); }), "4: ", "does not exist"));
}

// As one that was written before there was a choice.
TEST_F(CheckpointRefusal, AManifestWithoutATokenizerMeansBytesAndOneWithoutAStepNothing) {
  const auto without = [&](const std::string& field) {
    const std::string whole = contents(file("manifest.json"));
    Manifest manifest = parse_manifest(whole, "", "");
    std::erase_if(manifest.fields, [&](const auto& f) { return f.first == field; });
    std::ofstream(file("manifest.json"), std::ios::binary) << format_manifest(manifest);
    const std::string said = complaint([&] { Job(small_config(4)).trainer.load(run.path()); });
    std::ofstream(file("manifest.json"), std::ios::binary) << whole;
    return said;
  };
  EXPECT_EQ(without("tokenizer"), "");
  EXPECT_TRUE(says(without("step"), "4: ", "no step"));
  EXPECT_TRUE(says(without("seed"), "4: ", "seed nothing, now it is 5"));
}

TEST(Checkpoint, WhatDivergedIsNotSaved) {
  TemporaryDirectory run;
  Job job(small_config(4));
  job.steps(1);
  job.trainer.model().visit([&](const std::string& name, Parameter& p) {
    if (name == "model.norm.weight") p.value.data<float>()[0] = NAN;
  });
  job.steps(1);  // nobody asked for a report
  EXPECT_TRUE(
      says(complaint([&] { job.trainer.save(run / "run"); }), "1: ", "training diverged: at step 2 "));
  EXPECT_FALSE(fs::exists(run / "run"));
}

TEST(LoadModel, NeedsTheCheckpointOnly) {
  for (const bool tied : {false, true}) {
    TemporaryDirectory run;
    Job job(small_config(4, tied));
    job.steps(5);
    job.trainer.save(run.path());
    Context ctx;
    const std::unique_ptr<LanguageModel> model = load_model(ctx, run.path());
    EXPECT_EQ(model->config().moe.experts, 4);
    EXPECT_EQ(model->config().tied_head, tied);
    EXPECT_TRUE(same_bytes(parameters_of(*model), parameters_of(job.trainer.model())));
  }
}

std::vector<std::string> tensor_names(const fs::path& file) {
  std::vector<std::string> names;
  const SafetensorsFile tensors(file);
  for (const TensorEntry& entry : tensors.entries()) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  return names;
}

// Written out from Hugging Face's modeling_mixtral.py, not from our table.
TEST(ModelFile, HasTheNamesOfMixtral) {
  TemporaryDirectory run;
  LanguageModelConfig config = small_config(2);
  config.layers = 1;
  Job job(config);
  job.trainer.save(run.path());
  const std::vector<std::string> expected = {
      "lm_head.weight",
      "model.embed_tokens.weight",
      "model.layers.0.block_sparse_moe.experts.0.w1.weight",
      "model.layers.0.block_sparse_moe.experts.0.w2.weight",
      "model.layers.0.block_sparse_moe.experts.0.w3.weight",
      "model.layers.0.block_sparse_moe.experts.1.w1.weight",
      "model.layers.0.block_sparse_moe.experts.1.w2.weight",
      "model.layers.0.block_sparse_moe.experts.1.w3.weight",
      "model.layers.0.block_sparse_moe.gate.weight",
      "model.layers.0.input_layernorm.weight",
      "model.layers.0.post_attention_layernorm.weight",
      "model.layers.0.self_attn.k_proj.weight",
      "model.layers.0.self_attn.o_proj.weight",
      "model.layers.0.self_attn.q_proj.weight",
      "model.layers.0.self_attn.v_proj.weight",
      "model.norm.weight",
  };
  EXPECT_EQ(tensor_names(open_checkpoint(run.path()).file("model.safetensors")), expected);
}

}  // namespace
}  // namespace moe
