#include "cli/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "report/terminal.h"
#include "report/text_table.h"

namespace mnist_dist {
namespace {

constexpr int widest = 100, narrowest = 20;  // columns of a page

/// "N:INT in [1 - 1024]" is a name and a range, "D:{auto,cpu}" a name and values.
struct Type {
  explicit Type(const CLI::Option& option) {
    const std::string text = option.get_type_name();
    const std::size_t colon = std::min(text.find(':'), text.size());
    name = text.substr(0, colon);
    const std::string check = text.substr(std::min(colon + 1, text.size()));
    const std::size_t open = check.find_first_of("[{"), close = check.find_last_of("]}");
    if (open == std::string::npos || close == std::string::npos) return;
    std::string inner = check.substr(open + 1, close - open - 1);
    if (check[open] == '{') {
      std::ranges::replace(inner, ',', '|');
      name = inner;
    } else if (const std::size_t dash = inner.find(" - "); dash != std::string::npos) {
      range = inner.replace(dash, 3, " to ");
    }
  }
  std::string name, range;
};

std::string names_of(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options) names.push_back(option->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

HelpFormatter::HelpFormatter() {
  const int terminal = terminal_columns(Output::standard_out);
  columns_ = terminal > 0 ? std::clamp(terminal, narrowest, widest) : widest;
  text_column_ = columns_ < 60 ? 8 : 30;
}

std::string HelpFormatter::two_columns(const std::string& name, const std::string& text) const {
  const auto begin = static_cast<std::size_t>(text_column_);
  std::string out = "  " + name;
  if (out.size() + 1 > begin)
    out = folded(out, columns_, 4) + '\n' + std::string(begin, ' ') + text;
  else
    out += std::string(begin - out.size(), ' ') + text;
  return folded(out, columns_, text_column_) + "\n";
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  return two_columns(make_option_name(option, is_positional) + make_option_opts(option),
                     make_option_desc(option));
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  // A flag that switches off is "--no-x{false}" to CLI11.
  const std::string name = CLI::Formatter::make_option_name(option, is_positional);
  return name.substr(0, name.find('{'));
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  if (option->get_type_size() == 0) return "";
  std::string text = " " + Type(*option).name;
  if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += "...";
  return text;
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::vector<std::string> facts;
  if (option->get_required()) facts.emplace_back("required");
  if (option->get_type_size() != 0) {
    if (const Type type(*option); !type.range.empty()) facts.push_back(type.range);
    if (const std::string text = option->get_default_str(); !text.empty())
      facts.push_back("default: " + text);
  }
  if (!option->get_needs().empty()) facts.push_back("with " + names_of(option->get_needs()));
  if (!option->get_excludes().empty())
    facts.push_back("not with " + names_of(option->get_excludes()));
  const std::string text = option->get_description();
  return facts.empty() ? text : fmt::format("{} [{}]", text, fmt::join(facts, ", "));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return two_columns(command->get_display_name(true), command->get_description());
}

std::string HelpFormatter::make_description(const CLI::App* command) const {
  return folded(command->get_description(), columns_, 0) + "\n";
}

std::string HelpFormatter::make_help(const CLI::App* command, std::string name,
                                     CLI::AppFormatMode mode) const {
  std::string text = folded(CLI::Formatter::make_help(command, std::move(name), mode), columns_);
  // Versions of CLI11 differ in the empty lines before a footer.
  text.erase(text.find_last_not_of('\n') + 1);
  const std::string footer = folded(command->get_footer(), columns_, 0);
  return text + (footer.empty() ? "\n" : "\n\n" + footer + "\n");
}

}  // namespace mnist_dist
