#pragma once
#include <string>
#include <utility>
#include <vector>

namespace mnist_dist {

/// A page of one file: no network, no scripts, readable on a phone, light or dark as the reader's
/// system is. `refresh_seconds` > 0: the browser reloads it after that time.
std::string html_page(const std::string& title, const std::string& body, int refresh_seconds = 0);

/// Parts of one.
std::string html_figure(const std::string& svg, const std::string& caption);
std::string html_pairs(const std::vector<std::pair<std::string, std::string>>& lines);
/// Warns of digits that are not MNIST's (`data`: data_name, or empty where it is unknown), and of
/// scores of validation rows. Nothing otherwise.
std::string data_warning(const std::string& data, bool validation = false);
/// A section that can be unfolded, with preformatted text.
std::string html_details(const std::string& summary, const std::string& text);

}  // namespace mnist_dist
