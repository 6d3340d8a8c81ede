#pragma once
#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace mnist_dist {

/// Body of a subcommand, called after its options are parsed. Results go to stdout, progress to
/// stderr.
/// Throws: Error.
using Command = std::function<ExitCode()>;

// One per subcommand: declares the options on `app` and returns its body. Each lives in the file of
// its name.
Command add_train(CLI::App& app);
Command add_prepare(CLI::App& app);
Command add_summary(CLI::App& app);
Command add_evaluate(CLI::App& app);
Command add_export(CLI::App& app);
Command add_lr_find(CLI::App& app);
Command add_predict(CLI::App& app);
Command add_preview(CLI::App& app);
Command add_sweep(CLI::App& app);
Command add_tune(CLI::App& app);
Command add_merge(CLI::App& app);
Command add_report(CLI::App& app);
Command add_compare(CLI::App& app);
Command add_runs(CLI::App& app);
Command add_verify(CLI::App& app);
Command add_bench(CLI::App& app);
Command add_doctor(CLI::App& app);

/// The body of `compare` with its default options.
ExitCode compare(const std::vector<std::string>& folders);

}  // namespace mnist_dist
