// `moe convert`: a model from one layout of files to another, in another precision, in shards or whole.
#include <cmath>
#include <cstdio>
#include <optional>

#include "cli/models/models.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/app/interrupt.hpp"
#include "common/app/main.hpp"
#include "common/app/progress.hpp"
#include "common/io/model_directory.hpp"

namespace moe {
namespace {

struct ConvertOptions {
  std::string from, to, layout, dtype = "keep", shard_size = "5GB";
};

// "5GB", "500MB", "20KB", "4096": decimal, as transformers counts; nothing for what is no size.
std::optional<std::uint64_t> bytes_of(const std::string& text) {
  std::size_t end = 0;
  double value = 0;
  try {
    value = std::stod(text, &end);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  const std::string unit = text.substr(end);
  const double factor = unit.empty() || unit == "B" ? 1
                        : unit == "KB"              ? 1e3
                        : unit == "MB"              ? 1e6
                        : unit == "GB"              ? 1e9
                        : unit == "TB"              ? 1e12
                                                    : 0;
  const double bytes = std::floor(value * factor);
  if (!(bytes >= 1 && bytes <= 1e15)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

ConvertSettings settings_of(const ConvertOptions& o, Layout own) {
  ConvertSettings s;
  s.layout = o.layout.empty() ? own : *layout_of(o.layout);
  if (o.dtype != "keep") s.dtype = o.dtype == "f32" ? "F32" : o.dtype == "bf16" ? "BF16" : "F16";
  const auto bytes = bytes_of(o.shard_size);
  if (!bytes)
    throw UserError(ExitCode::usage, "--shard-size is no size: " + o.shard_size,
                    "give one like 5GB, 500MB or 20KB");
  s.shard_bytes = *bytes;
  return s;
}

std::vector<std::string> layout_names() {
  std::vector<std::string> names;
  for (const Layout layout : kLayouts) names.emplace_back(name_of(layout));
  return names;
}

}  // namespace

int convert_main(int argc, char** argv) {
  ConvertOptions o;
  Flags flags("moe convert", "Writes a model in another file layout, precision or number of files.",
              "moe convert --from runs/moe_vs_dense/moe --to exported --layout mixtral\n"
              "moe convert --from OLMoE-1B-7B-0924 --to olmoe --layout moe --dtype bf16");
  flags.add("--from", o.from, "a checkpoint, a run, or a directory with config.json and safetensors",
            required());
  flags.add("--to", o.to, "the directory to write: new or empty", required());
  flags.add("--layout", o.layout, "whose names; without it, those of --from", one_of(layout_names()));
  flags.add("--dtype", o.dtype, "numbers in the files", one_of({"keep", "f32", "bf16", "f16"}));
  flags.add("--shard-size", o.shard_size, "most data in a file, in bytes, KB, MB, GB or TB");
  flags.parse(argc, argv);

  const ModelDirectory from(o.from);
  const ConvertSettings settings = settings_of(o, from.json().layout);
  const InterruptGuard guard("Stopping; nothing is left behind.");
  std::optional<Progress> progress;
  const std::size_t files = convert_model(from, o.to, settings, [&](std::size_t done, std::size_t all) {
    if (!progress) progress.emplace(static_cast<std::int64_t>(all), ProgressOptions{.unit = "tensor"});
    progress->update(static_cast<std::int64_t>(done), {});
    return !interrupted();
  });
  if (progress) progress->finish();
  if (files == 0) return kExitInterrupted;
  std::printf("%s: layout %s, %s parameters, %zu file%s\n", o.to.c_str(), name_of(settings.layout),
              format_count(parameter_count(from.json().model)).c_str(), files, files == 1 ? "" : "s");
  return 0;
}

}  // namespace moe
