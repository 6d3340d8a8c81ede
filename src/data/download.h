#pragma once
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "data/progress.h"

namespace mnist_dist {

/// Fetches MIRROR/NAME from the first mirror that gives the right bytes into `folder`/NAME and gives back that mirror's host. A download that broke
/// off stays as NAME.part and is continued. `check` gets the complete file under its temporary name and throws when its contents are wrong; only then
/// is it renamed. A mirror that does not answer within seconds is passed over. While another process downloads the file this one waits; gives back ""
/// when the file is there afterwards. Throws Error: data with every mirror's reason, and `hint`; interrupted once a signal has asked for a stop.
std::string download(const std::string& name, std::span<const std::string> mirrors, const std::filesystem::path& folder,
                     const std::function<void(const std::filesystem::path&)>& check, const std::string& hint, const Progress& progress);

}  // namespace mnist_dist
