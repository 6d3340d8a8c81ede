#include "report/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/printable.h"
#include "report/text_table.h"

namespace mnist_dist {
namespace {

struct Mark {
  const char* word;
  const char* color;
};

Mark mark_of(Health health) {
  if (health == Health::ok) return {"ok", "\x1b[32m"};
  if (health == Health::warning) return {"warn", "\x1b[33m"};
  return {"fail", "\x1b[31m"};
}

}  // namespace

std::vector<Finding> examine(const DoctorOptions& options) {
  Finding gpus = find_gpus();
  const bool has_gpus = gpus.text != "none";
  if (options.full && built_for_gpus() && has_gpus)
    if (auto fault = find_gpu_without_code()) {
      fault->text = gpus.text + ": " + fault->text;
      gpus = *std::move(fault);
    }
  std::vector<Finding> findings{find_program(),
                                find_cpu(),
                                find_memory(),
                                find_mpi(),
                                find_launcher(),
                                find_engines(),
                                find_torch(options.full),
                                find_blas(),
                                find_hdf5(),
                                gpus,
                                find_nccl(has_gpus),
                                find_fabric(),
                                find_data(options.data_file, options.full),
                                find_raw_files(),
                                find_disk()};
  if (auto ttl = find_ttl("/", std::time(nullptr))) findings.push_back(*std::move(ttl));
  return findings;
}

std::string doctor_table(const std::vector<Finding>& findings, bool color, int columns) {
  constexpr int mark_width = 6, text_column = 16;
  std::string out;
  for (const Finding& finding : findings) {
    const Mark mark = mark_of(finding.health);
    const std::string line = folded(fmt::format("{:<{}}{:<10}{}\n", mark.word, mark_width,
                                                finding.subject, printable_lines(finding.text)),
                                    columns, text_column);
    out += fmt::format("{}{}{}{}", color ? mark.color : "", line.substr(0, mark_width),
                       color ? "\x1b[0m" : "", line.substr(mark_width));
    if (!finding.fix.empty())
      out += folded(fmt::format("{:{}}-> {}\n", "", text_column, printable_lines(finding.fix)),
                    columns, text_column + 3);
  }
  return out;
}

std::string doctor_json(const std::vector<Finding>& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings)
    list.push_back({{"subject", finding.subject},
                    {"health", mark_of(finding.health).word},
                    {"text", finding.text},
                    {"fix", finding.fix}});
  const nlohmann::ordered_json all{{"ok", doctor_verdict(findings) == ExitCode::ok},
                                   {"findings", list}};
  // Paths may hold bytes that are not UTF-8.
  return json_text(all);
}

ExitCode doctor_verdict(const std::vector<Finding>& findings) {
  const auto failed = std::find_if(findings.begin(), findings.end(),
                                   [](const Finding& f) { return f.health == Health::failure; });
  return failed == findings.end() ? ExitCode::ok : failed->code;
}

}  // namespace mnist_dist
