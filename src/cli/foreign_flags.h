#pragma once
#include <CLI/App.hpp>
#include <span>
#include <string>

namespace mnist_dist {

/// For a flag that other programs have and this command does not have (--epochs 5, --lr=0.1, -j 4):
/// a hint with our option and the given value, "" for an unknown flag. `arguments`: the flag and
/// all arguments behind it. Keys of recipes are flags too: --weight-decay, --train.batch 32.
std::string foreign_flag_hint(const CLI::App& command, std::span<const std::string> arguments);

/// How train continues the run of a folder, or of a checkpoint in it.
std::string resume_command(const std::string& run_or_checkpoint);

}  // namespace mnist_dist
