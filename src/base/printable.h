#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace mnist_dist {

/// Text from a file, an argument or a host as one line that is safe on a terminal: control
/// characters, line ends, marks that turn the writing direction, and bytes that are not UTF-8
/// become escapes such as \n, \x1b or \u202e. All other text stays as it is.
std::string printable(std::string_view text);

/// The same for text of several lines: line ends and tabs stay.
std::string printable_lines(std::string_view text);

/// `text` with at most `most` characters (UTF-8): of longer text the middle is left out.
std::string shortened(std::string_view text, std::size_t most);

/// Text that may stand in HTML and SVG: markup is escaped, and characters that printable() would
/// escape become U+FFFD, except line ends and tabs.
std::string html_text(std::string_view text);

}  // namespace mnist_dist
