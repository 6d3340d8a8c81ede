#pragma once
#include <string>
#include <string_view>

namespace mnist_dist {

/// `text` as one word for a shell, for commands in hints: as it is where that is one, else in
/// quotes. Characters that a terminal does not show are in Bash's $'...' quotes.
std::string shell_word(std::string_view text);

}  // namespace mnist_dist
