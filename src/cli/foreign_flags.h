#pragma once
#include <span>
#include <string>

namespace mnist_dist {

/// For a flag that other programs have and this command has not (--epochs 5, --lr=0.1, -j 4): one
/// sentence that names what does it here, with the value that was given; "" for a flag that is in
/// no other program we know of. `command`: train, sweep, ...; `arguments`: the flag, then all that
/// follows it on the command line. Keys of recipes are flags too: --weight-decay, --train.batch 32.
std::string foreign_flag_hint(const std::string& command, std::span<const std::string> arguments);

/// How train continues the run of a folder, or of a checkpoint in it.
std::string resume_command(const std::string& run_or_checkpoint);

}  // namespace mnist_dist
