// A model from one layout, precision or number of files to another.
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "common/io/atomic_file.hpp"
#include "common/io/half.hpp"
#include "common/io/hf_names.hpp"
#include "common/io/model_directory.hpp"
#include "kernels/base/bf16.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kMostCompanionBytes = 256 << 20;
// Says nothing about the model, but the text side of a program needs it.
constexpr const char* kCompanions[] = {
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model", "vocab.json",
    "merges.txt",     "chat_template.jinja"};

struct Stopped {};

std::string kept_dtype(const std::string& dtype) {
  return dtype == "F64" ? "F32" : dtype;
}

const char* torch_name(const std::string& dtype) {
  return dtype == "BF16" ? "bfloat16" : dtype == "F16" ? "float16" : "float32";
}

std::uint16_t checked_f16(float x, const std::string& name) {
  const std::uint16_t bits = to_f16(x);
  if ((bits & 0x7fff) == 0x7c00 && !std::isinf(x))
    throw UserError(ExitCode::bad_file, concat("tensor ", quote(name), " holds ", x, ", F16 ends at 65504"),
                    "convert to bf16, which has the range of f32, or to f32");
  return bits;
}

void narrow(std::vector<std::byte>& bytes, std::span<const float> values, const PlannedTensor& t) {
  bytes.resize(values.size() * static_cast<std::size_t>(*bytes_of_dtype(t.dtype)));
  if (t.dtype == "F32") {
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = t.dtype == "BF16" ? to_bf16(values[i]).bits : checked_f16(values[i], t.name);
    std::memcpy(bytes.data() + 2 * i, &half, 2);
  }
}

// A directory beside `to` that takes its place when all is written, and goes when it is not.
class DirectoryAside {
 public:
  explicit DirectoryAside(fs::path to) : to_(std::move(to)), aside_(to_) {
    if (!aside_.has_filename()) aside_ = aside_.parent_path();  // a slash at the end
    aside_ += concat(".tmp-", ::getpid());
    std::error_code error;
    if (fs::exists(to_, error) && !(fs::is_directory(to_, error) && fs::is_empty(to_, error)))
      throw UserError(ExitCode::usage, to_.string() + ": exists and is no empty directory",
                      "choose another directory, or remove this one");
    fs::create_directories(aside_, error);
    if (error) system_failure(aside_, "cannot be created", error.value());
  }
  ~DirectoryAside() {
    std::error_code ignored;
    if (!aside_.empty()) fs::remove_all(aside_, ignored);
  }
  const fs::path& path() const { return aside_; }
  void commit() {
    std::error_code error;
    fs::remove(to_, error);  // an empty one
    fs::rename(aside_, to_, error);
    if (error) system_failure(to_, "cannot be renamed to", error.value());
    aside_.clear();
  }

 private:
  fs::path to_, aside_;
};

std::vector<PlannedTensor> plan(const ModelDirectory& from, const std::vector<HfSlice>& source,
                                const ConvertSettings& settings) {
  std::vector<PlannedTensor> planned;
  std::vector<HfSlice> target = hf_tensors(from.json().model, settings.layout);
  MOE_CHECK(target.size() == source.size(), target.size());
  for (std::size_t i = 0; i < target.size(); ++i) {
    const std::string own = kept_dtype(from.files().entry(source[i].name).dtype);
    planned.push_back({target[i].name, settings.dtype.empty() ? own : settings.dtype, target[i].shape});
  }
  return planned;
}

void copy_companions(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (const char* name : kCompanions)
    if (fs::is_regular_file(from / name, error))
      write_file_atomically(to / name, read_text_file(from / name, kMostCompanionBytes));
}

}  // namespace

std::size_t convert_model(const ModelDirectory& from, const fs::path& to, const ConvertSettings& settings,
                          const std::function<bool(std::size_t, std::size_t)>& on_tensor) {
  check_layout(from.json().model, settings.layout);
  const std::vector<HfSlice> source = hf_tensors(from.json().model, from.json().layout);
  const std::vector<PlannedTensor> planned = plan(from, source, settings);
  DirectoryAside directory(to);
  Context ctx;
  std::size_t done = 0;
  const BytesOf bytes_of = [&](std::size_t i, std::vector<std::byte>& bytes) {
    if (on_tensor && !on_tensor(done++, planned.size())) throw Stopped{};
    const Tensor tensor = Tensor::empty(ctx, DType::f32, source[i].shape);
    from.files().read(source[i].name, tensor);
    narrow(bytes, {tensor.data<float>(), static_cast<std::size_t>(tensor.numel())}, planned[i]);
  };
  std::size_t files = 0;
  try {
    files =
        write_model_files(directory.path(), planned, bytes_of, {settings.shard_bytes, {{"format", "pt"}}});
  } catch (const Stopped&) {
    return 0;
  }
  copy_companions(from.path(), directory.path());
  ModelJson json = from.json();
  json.layout = settings.layout;
  json.dtype = torch_name(planned[0].dtype);  // that of the embedding
  write_file_atomically(directory.path() / "config.json", to_model_json(json));
  directory.commit();
  return files;
}

}  // namespace moe
