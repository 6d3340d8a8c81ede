#include "base/process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <sstream>

#include "base/file.h"
#include "base/provenance.h"
#include "base/sha256.h"

namespace mnist_dist {
namespace {

/// The fields of /proc/PID/stat from the third on: the second one is a name that may hold blanks
/// and brackets.
std::istringstream stat_of(pid_t pid) {
  const std::string text = read_proc_file(fmt::format("/proc/{}/stat", pid));
  const auto name_end = text.rfind(") ");
  return std::istringstream(name_end == std::string::npos ? "" : text.substr(name_end + 2));
}

}  // namespace

const std::string& node_id() {
  static const std::string id = [] {
    std::string kernel = read_proc_file("/proc/sys/kernel/random/boot_id");
    if (kernel.empty()) kernel = host_name();
    std::array<char, 64> process_ids{};
    if (::readlink("/proc/self/ns/pid", process_ids.data(), process_ids.size() - 1) < 0)
      process_ids[0] = '\0';
    const std::string text = kernel + process_ids.data();
    return hex(sha256(std::as_bytes(std::span(text)))).substr(0, 16);
  }();
  return id;
}

std::uint64_t start_of_process(pid_t pid) {
  constexpr int fields_before = 19;  // starttime is field 22 of proc(5)
  std::istringstream fields = stat_of(pid);
  std::string skipped;
  for (int i = 0; i < fields_before; ++i) fields >> skipped;
  std::uint64_t start = 0;
  return fields >> start ? start : 0;
}

bool process_runs(pid_t pid, std::uint64_t started) {
  if (pid <= 0 || (::kill(pid, 0) != 0 && errno == ESRCH)) return false;
  char state = '?';
  stat_of(pid) >> state;  // nothing to read for another user's process where /proc hides those
  if (state == 'Z' || state == 'X') return false;
  const std::uint64_t start = start_of_process(pid);
  return started == 0 || start == 0 || start == started;
}

}  // namespace mnist_dist
