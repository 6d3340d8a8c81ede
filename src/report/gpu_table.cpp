#include "report/gpu_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "report/instance_table.h"

namespace mnist_dist {
namespace {

/// The parts of a text between separators, without empty ones.
std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;
       (begin = text.find_first_not_of(separators, begin)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return parts;
}

/// The number at the beginning of a text, and the rest. Nothing without a number.
std::optional<std::pair<int, std::string_view>> leading_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return std::pair(number, text.substr(static_cast<std::size_t>(end - text.data())));
}

/// "7.5" -> 75
std::optional<int> parse_capability(std::string_view text) {
  const auto major = leading_number(text);
  if (!major || !major->second.starts_with('.')) return std::nullopt;
  const auto minor = leading_number(major->second.substr(1));
  if (!minor) return std::nullopt;
  return major->first * 10 + minor->first;
}

/// "12.8-" -> "12.8 or newer"
std::string range_words(const std::string& range) {
  return range.ends_with('-') ? range.substr(0, range.size() - 1) + " or newer" : range;
}

}  // namespace

std::vector<GpuCard> parse_gpu_table(std::string_view table) {
  std::vector<GpuCard> cards;
  for (const std::string_view line : split(table, "\n")) {
    const auto column = split(line, " \t");
    if (column.empty() || column[0].starts_with('#') || column[0] == "ami") continue;
    // "card GPU CAP CUDA LIBTORCH", or an instance: "TYPE GPUS GPU GIB CAP VCPUS GBIT EFA CUDA
    // LIBTORCH ...".
    const bool card = column[0] == "card";
    if (column.size() < (card ? 5u : 10u)) continue;
    const auto capability = parse_capability(column[card ? 2 : 4]);
    const std::string name(column[card ? 1 : 2]);
    if (!capability || std::ranges::find(cards, name, &GpuCard::name) != cards.end()) continue;
    cards.push_back(
        {name, *capability, std::string(column[card ? 3 : 8]), std::string(column[card ? 4 : 9])});
  }
  return cards;
}

std::vector<GpuCard> gpu_table() { return parse_gpu_table(instance_table); }

std::optional<GpuCard> find_card(std::span<const GpuCard> cards, std::string_view model) {
  for (const std::string_view word : split(model, " -"))
    if (const auto card = std::ranges::find(cards, word, &GpuCard::name); card != cards.end())
      return *card;
  return std::nullopt;
}

std::string_view built_gpu_architectures() { return MNIST_DIST_CUDA_ARCHITECTURES; }

bool has_gpu_code(std::string_view architectures, int capability) {
  return std::ranges::any_of(split(architectures, ","), [&](std::string_view entry) {
    const auto number = leading_number(entry);
    if (!number) return false;
    const auto [built_for, kind] = *number;
    // 90a: code of that very card, which nothing newer runs.
    if (kind.starts_with('a')) return built_for == capability;
    const bool machine_code = !kind.ends_with("-virtual"), ptx = !kind.ends_with("-real");
    if (machine_code && built_for / 10 == capability / 10 && built_for <= capability) return true;
    return ptx && built_for <= capability;
  });
}

std::string card_needs(const GpuCard& card) {
  return fmt::format("LibTorch {} built for CUDA {}", range_words(card.libtorch),
                     range_words(card.cuda));
}

}  // namespace mnist_dist
