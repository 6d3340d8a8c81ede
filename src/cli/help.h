#pragma once
#include <CLI/CLI.hpp>

namespace mnist_dist {

/// Lays out --help: names of options in one column, descriptions in another one that wraps. As wide
/// as the terminal, between 20 and 100 columns, and 100 where there is none.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  /// The value's name: "N", or the values where there are few, "auto|cpu|cuda".
  std::string make_option_opts(const CLI::Option* option) const override;
  /// The description, and range, default and relations to other options in brackets.
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_description(const CLI::App* command) const override;
  std::string make_footer(const CLI::App*) const override { return ""; }  // make_help has it
  std::string make_help(const CLI::App* command, std::string name,
                        CLI::AppFormatMode mode) const override;

 private:
  std::string two_columns(const std::string& name, const std::string& text) const;
  int columns_, text_column_;
};

}  // namespace mnist_dist
