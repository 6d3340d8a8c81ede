#include "report/live_page.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "report/sweep_page.h"

namespace mnist_dist {
namespace {

constexpr int refresh_seconds = 15;
constexpr std::chrono::seconds at_least{5};
constexpr int share = 100;  // of the time goes into pages: one part in so many

}  // namespace

void LivePage::update(const SweepRecord& record, const Verdict& verdict) {
  const auto begin = Clock::now();
  if (due_ && begin < *due_) return;
  try {
    write_file_atomically(folder_ / "report.html",
                          sweep_page(record, verdict, folder_, refresh_seconds));
  } catch (const Error&) {
    // See update's declaration.
  }
  const auto cost = Clock::now() - begin;
  due_ = begin + std::max<Clock::duration>(at_least, cost * share);
}

}  // namespace mnist_dist
