#include "sweep/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/parse_number.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view seed_prefix = "seed", row_suffix = ".csv";

/// 1234 -> "1xxxxxx/234xxx": three digits per level, and an x for each digit that follows.
fs::path block_path(std::uint64_t block) {
  std::string digits = fmt::to_string(block);
  digits.insert(0, (3 - digits.size() % 3) % 3, ' ');
  fs::path path;
  for (std::size_t at = 0; at < digits.size(); at += 3) {
    const std::string three = digits.substr(at, 3);
    path /= three.substr(three.find_first_not_of(' ')) + std::string(digits.size() - at, 'x');
  }
  return path;
}

fs::path run_block(const fs::path& sweep, std::uint64_t block) {
  return block == 0 ? sweep / "runs" : sweep / "runs" / block_path(block);
}

/// The N of seedN + `suffix`.
std::optional<std::uint64_t> seed_named(std::string_view name, std::string_view suffix) {
  if (!name.starts_with(seed_prefix) || !name.ends_with(suffix)) return std::nullopt;
  name.remove_prefix(seed_prefix.size());
  name.remove_suffix(suffix.size());
  return parse_number<std::uint64_t>(name);
}

std::vector<std::uint64_t> seeds_in(const fs::path& folder, std::string_view suffix,
                                    std::uint64_t block) {
  std::vector<std::uint64_t> seeds;
  for (const std::string& name : entry_names(folder))
    if (const auto seed = seed_named(name, suffix); seed && block_of(*seed) == block)
      seeds.push_back(*seed);
  std::ranges::sort(seeds);
  return seeds;
}

/// `above`: the digits of the levels above.
void find_blocks(const fs::path& folder, const std::string& above,
                 std::vector<std::uint64_t>& blocks) {
  for (const std::string& name : entry_names(folder)) {
    const std::size_t digits = name.find('x');
    if (digits == name.npos || digits == 0) continue;
    const std::string here = above + name.substr(0, digits);
    const std::size_t open = name.size() - digits;  // digits that are still to come
    if (open > 3)
      find_blocks(folder / name, here, blocks);
    else if (const auto block = parse_number<std::uint64_t>(here))
      blocks.push_back(*block);
  }
}

}  // namespace

fs::path row_block(const fs::path& sweep, std::uint64_t block) {
  return sweep / "rows" / block_path(block);
}

fs::path row_file(const fs::path& sweep, std::uint64_t seed) {
  return row_block(sweep, block_of(seed)) / fmt::format("{}{}{}", seed_prefix, seed, row_suffix);
}

fs::path seed_run_folder(const fs::path& sweep, std::uint64_t seed) {
  const std::string name = fmt::format("{}{}", seed_prefix, seed);
  std::error_code error;
  if (const fs::path earlier = sweep / "runs" / name; fs::exists(earlier, error)) return earlier;
  return run_block(sweep, block_of(seed)) / name;
}

std::vector<std::uint64_t> rows_in(const fs::path& sweep, std::uint64_t block) {
  return seeds_in(row_block(sweep, block), row_suffix, block);
}

std::vector<std::uint64_t> runs_in(const fs::path& sweep, std::uint64_t block) {
  return seeds_in(run_block(sweep, block), "", block);
}

std::vector<std::uint64_t> blocks_with_rows(const fs::path& sweep) {
  std::vector<std::uint64_t> blocks;
  find_blocks(sweep / "rows", "", blocks);
  std::ranges::sort(blocks);
  return blocks;
}

std::size_t count_rows(const fs::path& sweep) {
  std::size_t rows = 0;
  for (const std::uint64_t block : blocks_with_rows(sweep)) rows += rows_in(sweep, block).size();
  return rows;
}

}  // namespace mnist_dist
