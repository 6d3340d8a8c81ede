#include "comm/local_ranks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/parse_number.h"
#include "comm/liveness.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// One variable of a process's environment as /proc has it: NAME=VALUE, each ended by a zero.
std::optional<std::string> variable(const std::string& environment, const std::string& name) {
  for (std::size_t from = 0; from < environment.size();) {
    const std::size_t to = std::min(environment.find('\0', from), environment.size());
    const std::string_view entry = std::string_view(environment).substr(from, to - from);
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
      return std::string(entry.substr(name.size() + 1));
    from = to + 1;
  }
  return std::nullopt;
}

std::optional<int> rank_of(const std::string& environment) {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
    if (const auto text = variable(environment, name)) return parse_number<int>(*text);
  return std::nullopt;
}

/// Identifies the job: common to all its ranks and to no other process.
std::string job_of(const std::string& environment) {
  for (const char* name :
       {"PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid", "PMI_JOBID", "SLURM_JOB_ID"})
    if (const auto text = variable(environment, name)) return std::string(name) + "=" + *text;
  return "";
}

/// The state behind the command's name, which may hold blanks and brackets.
bool is_stopped(const fs::path& process) {
  const std::string status = read_proc_file(process / "stat");
  const std::size_t at = status.rfind(") ");
  return at != std::string::npos && at + 2 < status.size() &&
         (status[at + 2] == 'T' || status[at + 2] == 't');
}

}  // namespace

std::vector<LocalRank> local_ranks(const fs::path& processes) {
  const std::string job = job_of(read_proc_file(processes / "self" / "environ"));
  std::map<int, LocalRank> by_rank;
  if (job.empty()) return {};
  for (const std::string& name : entry_names(processes)) {
    const auto pid = parse_number<int>(name);
    if (!pid) continue;
    const fs::path process = processes / name;
    // Empty: another user's.
    const std::string environment = read_proc_file(process / "environ");
    const auto rank = rank_of(environment);
    if (!rank || job_of(environment) != job) continue;
    // A rank may be several processes (a wrapping script): one that is stopped stops it.
    LocalRank& found =
        by_rank.try_emplace(*rank, LocalRank{.rank = *rank, .pid = *pid}).first->second;
    if (is_stopped(process)) found = {.rank = *rank, .pid = *pid, .stopped = true};
  }
  std::vector<LocalRank> ranks;
  for (const auto& [number, rank] : by_rank) ranks.push_back(rank);
  return ranks;
}

Complaint complain(const std::vector<LocalRank>& ranks, const Launcher& launcher,
                   const std::string& process, const std::string& host, const std::string& call,
                   double timeout_seconds) {
  std::vector<std::string> stopped;
  int first_live = launcher.rank;
  for (const LocalRank& rank : ranks) {
    if (rank.stopped)
      stopped.push_back(fmt::format("rank {} (host {}, pid {})", rank.rank, host, rank.pid));
    else
      first_live = std::min(first_live, rank.rank);
  }
  const std::string waited =
      fmt::format("{} has waited {:g} s in {}", process, timeout_seconds, call);
  if (!stopped.empty())
    return {
        device_error(fmt::format("{}: {} {} stopped", waited, fmt::join(stopped, ", "),
                                 stopped.size() == 1 ? "is" : "are"),
                     fmt::format("start again without stopping {} (SIGSTOP, Ctrl-Z, a debugger)",
                                 stopped.size() == 1 ? "that process" : "those processes")),
        liveness::report_turn_seconds(true, first_live == launcher.rank)};
  // All others here run. Another host's ranks name those that are stopped there.
  const int here = static_cast<int>(ranks.size());
  const std::string missing =
      here > 0 && launcher.size > here
          ? fmt::format(": {} of {} ranks run on host {}, the others are not responding", here,
                        launcher.size, host)
          : "";
  return {device_error(waited + missing,
                       "check that each rank started and that its host can be reached from here "
                       "(launch/preflight.sh), or raise comm.timeout"),
          liveness::report_turn_seconds(false, first_live == launcher.rank)};
}

}  // namespace mnist_dist
