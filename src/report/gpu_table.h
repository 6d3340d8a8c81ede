#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mnist_dist {

/// A card of launch/instances.tsv, which is built into the program.
struct GpuCard {
  std::string name;    ///< "T4", a word of the driver's name for it, "Tesla T4"
  int capability = 0;  ///< compute capability times ten: 75
  std::string
      cuda;  ///< for which CUDA LibTorch must be built: "12.6", "12.8-" (or newer), "12.6-13.0"
  std::string libtorch;  ///< LibTorch with such a build, in the same form
};

/// The cards of the table, each once. Lines that are not a card's are passed over.
std::vector<GpuCard> parse_gpu_table(std::string_view table);

/// The cards of the table that was built in.
std::vector<GpuCard> gpu_table();

/// The one that the driver calls `model`, "NVIDIA A100-SXM4-40GB". Nothing when no card has one of
/// its words for a name.
std::optional<GpuCard> find_card(std::span<const GpuCard> cards, std::string_view model);

/// The GPUs that this program has code for, as CMake lists CUDA architectures, with commas:
/// "75,80-real,90-virtual". Empty in a build for CPUs.
std::string_view built_gpu_architectures();

/// Does code for these architectures run on a card of that capability? Machine code runs on its own
/// generation from its own capability up, PTX (of an entry without "-real") on all newer ones.
bool has_gpu_code(std::string_view architectures, int capability);

/// "LibTorch 2.11-2.14 built for CUDA 12.6"
std::string card_needs(const GpuCard& card);

}  // namespace mnist_dist
