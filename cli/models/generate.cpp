// `moe generate`: text from a checkpoint, coloured by expert if asked; without a prompt, a conversation of prompts.
#include "common/infer/generate.hpp"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <optional>

#include "cli/models/models.hpp"
#include "common/app/device.hpp"
#include "common/app/flags.hpp"
#include "common/app/interrupt.hpp"
#include "common/app/machine.hpp"
#include "common/app/main.hpp"
#include "common/app/terminal.hpp"
#include "common/app/utf8.hpp"
#include "common/report/routed_text.hpp"
#include "common/train/load_tokenizer.hpp"
#include "common/train/trainer.hpp"

namespace moe {
namespace {

struct GenerateOptions {
  std::string checkpoint, prompt;
  SampleSettings sample;
  std::int64_t threads = this_machine().cores, layer = 0;  // layer 0: the last
  std::string device = "auto";
  bool show_routing = false;
};

struct Speaker {
  std::unique_ptr<LanguageModel> model;
  std::shared_ptr<const Tokenizer> tokenizer;
};

// Bytes as they come; a character is held back until it is whole.
class Stream {
 public:
  void put(const std::string& bytes) {
    pending_ += bytes;
    if (ends_inside_character(pending_)) return;
    std::fputs(printable_utf8(pending_).c_str(), stdout);
    std::fflush(stdout);
    pending_.clear();
  }
  ~Stream() { std::printf("%s\n", printable_utf8(pending_).c_str()); }

 private:
  std::string pending_;
};

std::size_t shown_layer(const GenerateOptions& o, std::size_t layers) {
  if (layers == 0)
    throw UserError(ExitCode::usage, "--show-routing: " + o.checkpoint + " is a dense model",
                    "choose an MoE checkpoint, or leave --show-routing out");
  if (o.layer < 0 || o.layer > static_cast<std::int64_t>(layers))
    throw UserError(ExitCode::usage, concat("--layer ", o.layer, " of a model with ", layers, " MoE layers"),
                    concat("choose 1 to ", layers));
  return o.layer == 0 ? layers - 1 : static_cast<std::size_t>(o.layer - 1);
}

// After each stretch of text with the same expert, its number; without colour there is nothing else to see it by.
void print_plain_routing(const RoutedText& text, std::size_t layer) {
  for (std::size_t i = 0; i < text.tokens.size();) {
    std::string bytes;
    const auto expert_at = [&](std::size_t t) {
      return text.tokens[t].layers.size() > layer && !text.tokens[t].layers[layer].empty()
                 ? text.tokens[t].layers[layer][0].expert
                 : -1;
    };
    const int expert = expert_at(i);
    while (i < text.tokens.size() && (expert_at(i) == expert || ends_inside_character(bytes)))
      bytes += text.tokens[i++].bytes;
    std::printf("%s", printable_utf8(bytes).c_str());
    if (expert >= 0) std::printf("[%d]", expert);  // the last token was made, not read: it has none
  }
  std::printf("\n");
}

void print_routed(const RoutedText& text, std::size_t layer) {
  const ColourMode colour = colour_mode(STDOUT_FILENO);
  if (colour == ColourMode::none) return print_plain_routing(text, layer);
  std::printf("%s\n", terminal_text(text, layer, colour).c_str());
}

// False: stopped by Ctrl-C. Between answers Ctrl-C ends the program as usual.
bool answer(Context& ctx, const Speaker& speaker, const std::string& text, const GenerateOptions& o) {
  const InterruptGuard guard("");
  LanguageModel& model = *speaker.model;
  const Tokenizer& tokenizer = *speaker.tokenizer;
  const std::vector<Token> prompt = tokenizer.encode(text);
  const std::size_t layers =
      model.config().moe.experts > 0 ? static_cast<std::size_t>(model.config().layers) : 0;
  const std::size_t layer = o.show_routing ? shown_layer(o, layers) : 0;
  RoutedText routed{"", {}};
  std::optional<Stream> stream;
  if (!o.show_routing) {
    stream.emplace();
    const auto read =
        static_cast<std::size_t>(model.config().context) - 1;  // generate shows what the model reads
    if (prompt.size() > read) stream->put(tokenizer.decode(std::span(prompt).first(prompt.size() - read)));
  }
  generate(ctx, model, prompt, o.sample, [&](const TracedToken& t) {
    routed.tokens.push_back(routed_token(tokenizer, t));
    if (stream) stream->put(routed.tokens.back().bytes);
    return !interrupted();
  });
  if (o.show_routing) print_routed(routed, layer);
  return !interrupted();
}

// One prompt a line until the input ends.
int converse(Context& ctx, const Speaker& speaker, GenerateOptions o) {
  const bool human = is_terminal(STDIN_FILENO);
  if (human) std::printf("A prompt a line; an empty line or Ctrl-D ends.\n");
  for (std::string line;;) {
    if (human) std::printf("> "), std::fflush(stdout);
    if (!std::getline(std::cin, line) || (human && line.empty())) return 0;
    if (line.empty()) continue;
    if (!answer(ctx, speaker, line, o) && !human) return kExitInterrupted;
    ++o.sample.seed;
  }
}

}  // namespace

int generate_main(int argc, char** argv) {
  GenerateOptions o;
  Flags flags("moe generate", "Continues a prompt with a trained model.",
              "moe generate --ckpt runs/moe_vs_dense/moe --prompt \"In the beginning\" --show-routing\n"
              "moe generate --ckpt runs/moe_vs_dense/dense");
  flags.add("--ckpt", o.checkpoint, "a checkpoint, or the directory of a run: then its newest", required());
  flags.add("--prompt", o.prompt, "what to continue; without it, prompts are read line by line");
  flags.add("--show-routing", o.show_routing, "colour every token by its first expert");
  flags.add("--layer", o.layer, "whose experts --show-routing shows, from 1; 0: the last", between(0, 1024));
  flags.add("--tokens", o.sample.tokens, "tokens to make", between(1, 1000000));
  flags.add("--temperature", o.sample.temperature, "0: always the likeliest token", between(0, 100));
  flags.add("--top-p", o.sample.top_p, "sample from the likeliest tokens with this probability",
            between(0.01, 1));
  flags.add("--seed", o.sample.seed, "seed of the sampling");
  flags.add("--device", o.device, kDeviceHelp);
  flags.add("--threads", o.threads, "threads", between(1, 1024));
  flags.parse(argc, argv);

  Context ctx(choose_device(o.device).device, static_cast<int>(o.threads));
  Speaker speaker{load_model(ctx, o.checkpoint), nullptr};
  speaker.tokenizer = load_tokenizer(o.checkpoint, speaker.model->config().vocabulary);
  o.sample.vocabulary = speaker.tokenizer->vocabulary();
  if (flags.given("--prompt") && o.prompt.empty())
    throw UserError(ExitCode::usage, "--prompt is empty", "give at least one character");
  if (flags.given("--prompt")) return answer(ctx, speaker, o.prompt, o) ? 0 : kExitInterrupted;
  return converse(ctx, speaker, o);
}

}  // namespace moe
