// A sweep's folder (folder_input.h).
// Property: an accepted record has a verdict and a page, and its files read back to the same
// record.
#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/folder_input.h"
#include "report/sweep_charts.h"
#include "report/sweep_page.h"
#include "report/sweep_verdict.h"
#include "sweep/records.h"
#include "sweep/verdict.h"

using namespace mnist_dist;

namespace {

const std::vector<std::string> names{"config.toml",        "sweep.json", "seeds.csv",
                                     "epochs.csv",         "errors.csv", "rows/0xxx/seed0.csv",
                                     "rows/0xxx/seed1.csv"};

void write_sweep(const std::filesystem::path& folder, const std::string& input) {
  std::filesystem::remove_all(folder / "rows");
  fuzz::write_folder(folder, input, names);
}

void check_page(const SweepRecord& record) {
  const Verdict verdict = verdict_of(record);
  headline(record, verdict);
  sweep_summary_json(record, verdict);
  sweep_page(record, verdict);
  if (verdict.trained > 0) histogram_svg(record, verdict, true);
}

void check_written(const SweepRecord& record) {
  static const TemporaryFolder folder;
  const std::string json = sweep_json(record.identity), seeds = seeds_csv(record),
                    epochs = epochs_csv(record), errors = errors_csv(record);
  // A folder may be without errors.csv. Then nothing is known of mistakes.
  const bool has_mistakes =
      std::ranges::any_of(record.outcomes, [](auto& outcome) { return !outcome.mistakes.empty(); });
  write_sweep(folder.path(), "=== sweep.json\n" + json + "=== seeds.csv\n" + seeds +
                                 (epochs.empty() ? "" : "=== epochs.csv\n" + epochs) +
                                 (has_mistakes ? "=== errors.csv\n" + errors : "") +
                                 "=== config.toml\n" + record.recipe_text);
  SweepRecord again;
  fuzz::require(fuzz::accepted([&] { again = read_record(folder.path()); }),
                "a record that was accepted is accepted again");
  fuzz::require(sweep_json(again.identity) == json, "sweep.json reads back to itself");
  fuzz::require(seeds_csv(again) == seeds, "seeds.csv reads back to itself");
  fuzz::require(epochs_csv(again) == epochs, "epochs.csv reads back to itself");
  fuzz::require(errors_csv(again) == errors, "errors.csv reads back to itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TemporaryFolder folder;
  write_sweep(folder.path(), fuzz::text(data, size));
  SweepRecord record;
  if (!fuzz::accepted([&] { record = read_record(folder.path()); })) return 0;
  fuzz::accepted([&] { check_page(record); });
  check_written(record);
  return 0;
}
