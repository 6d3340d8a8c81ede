#pragma once
#include <string>
#include <utility>
#include <vector>

#include "sweep/verdict.h"

namespace mnist_dist {

/// "SYNTHETIC digits, not MNIST", "MNIST, test set", "MNIST, validation rows": the images of a
/// score.
std::string scored_text(const DataSource& data, bool validation);

/// " (1 in the last)": a last group's ranks if they are fewer than the others', otherwise "".
std::string last_group_text(const SweepIdentity& identity);

/// The verdict in a sentence: "PASS: 100 of 100 seeds reached 99.4 % (9940 of 10000 correct)".
std::string headline(const SweepRecord& record, const Verdict& verdict);

/// The statistics as {name, text}, for the terminal and for the report. With no trained seed there
/// are none.
std::vector<std::pair<std::string, std::string>> verdict_lines(const Verdict& verdict);

/// summary.json of a sweep.
std::string sweep_summary_json(const SweepRecord& record, const Verdict& verdict);

}  // namespace mnist_dist
