// A run's folder (folder_input.h).
// Property: it has a page, or an error names what is wrong.
#include <string>
#include <vector>

#include "fuzz/folder_input.h"
#include "report/run_page.h"

using namespace mnist_dist;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TemporaryFolder folder;
  static const std::vector<std::string> names{"config.toml", "metrics.csv", "summary.json",
                                              "status.json", "predictions.csv"};
  fuzz::write_folder(folder.path(), fuzz::text(data, size), names);
  fuzz::accepted(
      [&] { fuzz::require(run_page(folder.path()).starts_with("<!"), "a page is HTML"); });
  return 0;
}
