// Learning and applying a byte-level BPE on one thread: the training texts of the demo, as many as 10 MB.
#include "cli/measure/bench.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/data/bpe_train.hpp"
#include "common/data/domain_source.hpp"
#include "common/report/table.hpp"

namespace moe {
namespace {

// All default domains one after another; the whole again until there are enough bytes.
std::string text_of(std::int64_t bytes) {
  std::string all;
  for (const DomainSource& row : default_domains())
    for (const std::string& text : read_texts(row)) all += text;
  if (all.empty())
    throw UserError(ExitCode::missing, "no default text is installed", "moe doctor says which and how");
  std::string text;
  while (text.size() < static_cast<std::size_t>(bytes))
    text.append(all, 0, static_cast<std::size_t>(bytes) - text.size());
  return text;
}

double megabytes_a_second(std::size_t bytes, double seconds) {
  return static_cast<double>(bytes) / 1e6 / seconds;
}

}  // namespace

int bench_tokenizer_main(int argc, char** argv) {
  std::int64_t bytes = 10'000'000, vocabulary = 4096 + 257, runs = 3;
  TableForm form;
  Flags flags("moe bench tokenizer",
              "Learning a byte-level BPE, encoding and decoding with it, on one thread.",
              "moe bench tokenizer");
  flags.add("--bytes", bytes, "of text", between(1000, 1e9));
  flags.add("--vocabulary", vocabulary, "tokens to learn", between(257, 65536));
  flags.add("--runs", runs, "of each; medians are printed", between(1, 100));
  form.add_to(flags);
  flags.parse(argc, argv);

  const std::string text = text_of(bytes);
  const std::string_view view = text;
  std::vector<double> train, encode, decode;
  std::int64_t merges = 0;
  std::size_t tokens = 0;
  for (std::int64_t run = 0; run < runs; ++run) {
    BpeModel model;
    train.push_back(seconds_of([&] { model = train_bpe(std::span(&view, 1), {.vocabulary = vocabulary}); }));
    merges = static_cast<std::int64_t>(model.merges.size());
    const BpeTokenizer tokenizer(std::move(model));
    std::vector<Token> ids;
    std::string back;
    encode.push_back(seconds_of([&] { ids = tokenizer.encode(text); }));
    decode.push_back(seconds_of([&] { back = tokenizer.decode(ids); }));
    MOE_CHECK(back == text, "the text did not come back");
    tokens = ids.size();
  }
  Table table({{"work", Align::left}, {"seconds"}, {"mb_per_second"}});
  const auto row = [&](const std::string& what, std::vector<double> seconds) {
    const double s = median(std::move(seconds));
    table.row({what, format_fixed(s, 2), format_fixed(megabytes_a_second(text.size(), s), 1)});
  };
  row(concat("learn ", merges, " merges from ", format_fixed(static_cast<double>(text.size()) / 1e6, 1),
             " MB"),
      train);
  row(concat("encode, ", format_fixed(static_cast<double>(text.size()) / static_cast<double>(tokens), 2),
             " bytes a token"),
      encode);
  row("decode", decode);
  return form.print(table);
}

}  // namespace moe
