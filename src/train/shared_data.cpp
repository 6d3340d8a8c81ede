#include "train/shared_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/provenance.h"
#include "comm/on_root.h"
#include "train/agreement.h"

namespace mnist_dist {
namespace {

/// The views of `rows` in shared memory: the labels of all parts, then their pixels.
std::vector<ImagesView> views_of(const LocalRows& rows, int side,
                                 std::span<const std::byte> memory) {
  std::vector<Range> parts = rows.training;
  parts.insert(parts.end(), rows.evaluation.begin(), rows.evaluation.end());
  std::size_t count = 0;
  for (const Range& part : parts) count += static_cast<std::size_t>(part.size());
  const auto* labels = reinterpret_cast<const ClassIndex*>(memory.data());
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(labels + count);
  std::vector<ImagesView> all;
  for (const Range& part : parts) {
    const auto size = static_cast<std::size_t>(part.size());
    const std::size_t image = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
    all.push_back({{pixels, size * image}, {labels, size}, part.first, side});
    labels += size;
    pixels += size * image;
  }
  return all;
}

void show_shared(LocalData& data, const LocalRows& rows, int side) {
  const std::vector<ImagesView> all = views_of(rows, side, data.shared->bytes());
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(rows.training.size());
  data.training.assign(all.begin(), middle);
  data.evaluation.assign(middle, all.end());
}

/// Moves the rows into memory that other processes can share, if the host has it.
void share(LocalData& data, const LocalRows& rows, int side) {
  std::size_t size = 0;
  for (const Images& part : data.own)
    size += part.labels.size() * sizeof(ClassIndex) + part.pixels.size();
  data.shared = SharedMemory::make(size, [&](std::span<std::byte> memory) {
    std::byte* at = memory.data();
    for (const Images& part : data.own)
      at = std::ranges::copy(std::as_bytes(std::span(part.labels)), at).out;
    for (const Images& part : data.own)
      at = std::ranges::copy(std::as_bytes(std::span(part.pixels)), at).out;
  });
  if (!data.shared) return;
  show_shared(data, rows, side);
  data.own.clear();
}

/// For each rank, the lowest rank of its host with the same part of the data. Collective.
std::vector<int> readers(Communicator& world, const Communicator& group) {
  const std::string mine = fmt::format("{} {} {}", host_name(), group.rank(), group.size());
  const auto all = world.all_gather(std::as_bytes(std::span(mine)));
  std::vector<int> readers;
  for (const auto& part : all)
    readers.push_back(static_cast<int>(std::ranges::find(all, part) - all.begin()));
  return readers;
}

}  // namespace

LocalData load_shared_data(Communicator& world, const Communicator& group, const Config& config,
                           const Dataset& dataset) {
  const auto own = [&] { return load_local_data(config, dataset, group.rank(), group.size()); };
  if (world.size() == group.size()) return own();
  const auto sharers = world.split(readers(world, group)[static_cast<std::size_t>(world.rank())]);
  if (sharers->size() == 1) return own();

  const LocalRows rows = local_rows(config, dataset, group.rank(), group.size());
  LocalData data;
  SharedMemory::Place place;
  try {
    run_on_root(*sharers, [&] {
      data = own();
      share(data, rows, dataset.side());
      if (data.shared) place = data.shared->place();
    });
  } catch (const Error& error) {
    throw_from_group(world, *sharers, error);
  }
  sharers->broadcast(std::as_writable_bytes(std::span(&place, 1)), 0);
  if (sharers->rank() != 0) {
    data = local_data_without_rows(config, dataset, group.rank(), group.size());
    data.shared = SharedMemory::open(place);
  }
  // The memory exists until its maker ends, which may be soon.
  sharers->barrier();
  if (sharers->rank() == 0) return data;
  if (!data.shared) return own();
  show_shared(data, rows, dataset.side());
  return data;
}

}  // namespace mnist_dist
