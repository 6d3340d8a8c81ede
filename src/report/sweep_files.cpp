#include "report/sweep_files.h"

#include "base/file.h"
#include "report/sweep_charts.h"
#include "report/sweep_page.h"
#include "report/sweep_verdict.h"

namespace mnist_dist {

void write_sweep_report(const std::filesystem::path& folder, const SweepRecord& record) {
  const Verdict verdict = verdict_of(record);
  write_file_atomically(folder / "summary.json", sweep_summary_json(record, verdict));
  write_file_atomically(folder / "report.html", sweep_page(record, verdict, folder));
  if (verdict.trained > 0)
    write_file_atomically(folder / "histogram.svg", histogram_svg(record, verdict, true));
}

}  // namespace mnist_dist
