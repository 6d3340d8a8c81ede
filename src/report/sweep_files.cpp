#include "report/sweep_files.h"

#include "base/file.h"
#include "report/sweep_verdict.h"

namespace mnist_dist {

void write_sweep_report(const std::filesystem::path& folder, const SweepRecord& record, const Verdict& verdict) {
  write_file_atomically(folder / "summary.json", sweep_summary_json(record, verdict));
}

}  // namespace mnist_dist
