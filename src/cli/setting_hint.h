#pragma once
#include <CLI/App.hpp>
#include <optional>
#include <string>

namespace mnist_dist {

bool has_option(const CLI::App& command, const char* option);

/// A hint that gives a key of recipes this value, with --set. When the default recipe rejects the
/// value, or there is none, VALUE stands for it.
std::string setting_hint(const CLI::App& command, const std::string& key,
                         const std::optional<std::string>& value);

/// The key that a flag means: by a different program's name, by its own (weight_decay), or in full.
/// `flag` has no leading dashes, and underscores.
std::optional<std::string> key_of_flag(const std::string& flag);

}  // namespace mnist_dist
