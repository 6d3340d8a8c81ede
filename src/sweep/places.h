#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace mnist_dist {

// Places in a sweep's folder. A block is a thousand seeds. Folders are split by blocks, so that
// none gets more than some thousand entries:
//   rows/0xxx/seed7.csv       rows/123xxx/seed123456.csv       rows/1xxxxxx/234xxx/seed1234567.csv
//   runs/seed7/                runs/123xxx/seed123456/           runs/1xxxxxx/234xxx/seed1234567/

constexpr std::uint64_t block_size = 1000;
/// So many that reading them takes seconds.
constexpr std::size_t many_rows = 10 * block_size;
inline std::uint64_t block_of(std::uint64_t seed) { return seed / block_size; }

std::filesystem::path row_block(const std::filesystem::path& sweep, std::uint64_t block);
std::filesystem::path row_file(const std::filesystem::path& sweep, std::uint64_t seed);

/// A run folder of an earlier version, which had all of them in runs/, where there is one.
std::filesystem::path seed_run_folder(const std::filesystem::path& sweep, std::uint64_t seed);

/// The seeds that have a row or a run folder in a block, ascending. One listing.
std::vector<std::uint64_t> rows_in(const std::filesystem::path& sweep, std::uint64_t block);
std::vector<std::uint64_t> runs_in(const std::filesystem::path& sweep, std::uint64_t block);

/// The blocks that have rows, ascending.
std::vector<std::uint64_t> blocks_with_rows(const std::filesystem::path& sweep);
std::size_t count_rows(const std::filesystem::path& sweep);

}  // namespace mnist_dist
