#include "cli/exercises/grade_class.hpp"

#include <map>
#include <set>
#include <tuple>

#include "common/app/interrupt.hpp"
#include "common/app/progress.hpp"
#include "common/app/scratch_directory.hpp"
#include "common/grade/submission.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
using grade::Exercise;

std::set<std::string> answer_names(const std::vector<Exercise>& exercises) {
  std::set<std::string> names;
  for (const Exercise& e : exercises) names.insert(e.name + e.stub().extension().string());
  return names;
}

// Every answer once: copies of one, the untouched stub above all, share a verdict.
class Pile {
 public:
  void add(std::size_t submission, const Exercise& exercise, const fs::path& answer) {
    const std::string content = fs::exists(answer) ? grade::read_text(answer) : "";
    const auto [at, is_new] = index_.try_emplace({exercise.name, fs::exists(answer), content}, tasks_.size());
    if (is_new) tasks_.push_back({&exercise, answer});
    wanted_.push_back({submission, at->second});
  }
  const std::vector<grade::Task>& tasks() const { return tasks_; }
  void hand_out(const std::vector<grade::Verdict>& verdicts, std::vector<Submission>& submissions) const {
    for (const auto& [submission, task] : wanted_) submissions[submission].verdicts.push_back(verdicts[task]);
  }

 private:
  std::map<std::tuple<std::string, bool, std::string>, std::size_t> index_;
  std::vector<grade::Task> tasks_;
  std::vector<std::pair<std::size_t, std::size_t>> wanted_;
};

}  // namespace

std::optional<std::vector<Submission>> grade_class(const std::vector<std::string>& paths,
                                                   const std::vector<Exercise>& exercises, std::uint64_t seed,
                                                   int jobs) {
  const ScratchDirectory scratch("moe_grade");
  std::vector<Submission> submissions;
  Pile pile;
  for (const std::string& path : paths) {
    const fs::path directory = scratch.path() / std::to_string(submissions.size());
    fs::create_directories(directory);
    Submission s{.name = fs::path(path).filename().empty() ? path : fs::path(path).filename().string()};
    s.refused = fs::exists(path) ? grade::unpack(path, answer_names(exercises), directory) : "no such file";
    for (const Exercise& e : exercises)
      if (s.refused.empty())
        pile.add(submissions.size(), e, directory / (e.name + e.stub().extension().string()));
    submissions.push_back(std::move(s));
  }
  const InterruptGuard interrupt("Stopping after the answers at hand; no grades are written.");
  Progress progress(static_cast<std::int64_t>(pile.tasks().size()), {.unit = "answer"});
  std::int64_t done = 0;
  const auto verdicts =
      grade::grade_many(pile.tasks(), {.seed = seed}, jobs,
                        [&](std::size_t, const auto& v) { progress.update(++done, {v.exercise.name}); });
  progress.finish();
  if (interrupted()) return std::nullopt;
  pile.hand_out(verdicts, submissions);
  return submissions;
}

}  // namespace moe
