#include "base/folder_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/signals.h"
#include "base/standard_streams.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view file_name = ".lease";
constexpr std::chrono::milliseconds between_looks{100};
constexpr double silent_seconds = 1;  // of waiting

/// Files of processes that were killed while they sought this lease. Rights to replace earlier
/// holders mean nothing now.
void remove_leftovers(const fs::path& folder, const std::string& id) {
  constexpr std::array<std::string_view, 1> names{file_name};
  const std::string rights = fmt::format("{}.", file_name);
  std::error_code error;
  for (const std::string& name : entry_names(folder))
    if (name.starts_with(rights) && !name.starts_with(rights + id) && !is_temporary(name, names))
      fs::remove(folder / name, error);
  remove_leftovers_in(folder, names);
}

}  // namespace

fs::path lease_file(const fs::path& folder) { return folder / file_name; }

FolderLock::FolderLock(fs::path folder, Lease lease)
    : path_(std::move(folder)), lease_(std::move(lease)) {
  remove_leftovers(path_, lease_->id());
}

void FolderLock::set_share(double share) {
  if (lease_) lease_->set_share(share);
}

FolderLock::FolderLock(const fs::path& folder, LeasePace pace, IfTaken if_taken) : path_(folder) {
  if (::access(folder.c_str(), W_OK | X_OK) != 0 || !fs::is_directory(folder))
    return;  // the write's error has the reason
  LeaseSeeker seeker(lease_file(folder), pace);
  AwakeClock waiting;
  bool said = false;
  while (!(lease_ = seeker.try_take())) {
    if (if_taken == IfTaken::reject && seeker.holder_lives())
      throw usage_error(fmt::format("{}: in use by {}", folder.string(), seeker.holder()),
                        "wait for it, or choose a different folder");
    if (stop_requested())
      throw Error(ExitCode::interrupted,
                  fmt::format("stopped by a signal while waiting for {}", folder.string()),
                  "start again");
    if (!said && waiting.seconds() > silent_seconds) {
      said = true;
      say_line(seeker.holder_lives()
                   ? fmt::format("note: waiting for {}, which is working in {}", seeker.holder(),
                                 folder.string())
                   : fmt::format("note: {} may still be working in {}: watching its lease for {} s",
                                 seeker.holder(), folder.string(),
                                 std::chrono::ceil<std::chrono::seconds>(pace.stale).count()));
    }
    std::this_thread::sleep_for(between_looks);
  }
  remove_leftovers(folder, lease_->id());
}

void FolderLock::check_in_place() const {
  if (in_place()) return;
  throw data_error(
      fmt::format(
          "{} was moved, removed or replaced, or taken over, while this process was working in it",
          path_.string()),
      "start again, in the folder's new place if it was moved, and do not move it while a process "
      "works in it");
}

bool is_of_lock(const fs::path& file) { return file.filename().string().starts_with(file_name); }

}  // namespace mnist_dist
