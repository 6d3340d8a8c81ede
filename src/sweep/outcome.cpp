#include "sweep/outcome.h"

#include <cstddef>
#include <nlohmann/json.hpp>

namespace mnist_dist {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Mistake, index, label, prediction)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SeedOutcome, seed, diverged, message, final_accuracy, final_loss, final_correct, images, raw_accuracy,
                                   best_accuracy, best_epoch, seconds, group, ranks, threads, engine, simd, device, parameters_sha256,
                                   raw_parameters_sha256, epochs, mistakes)

std::vector<std::byte> pack(const SeedOutcome& outcome) {
  const std::vector<std::uint8_t> cbor = nlohmann::json::to_cbor(outcome);  // binary: every double arrives as it was
  const auto bytes = std::as_bytes(std::span(cbor));
  return {bytes.begin(), bytes.end()};
}

SeedOutcome unpack_outcome(std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return nlohmann::json::from_cbor(data, data + bytes.size()).get<SeedOutcome>();
}

}  // namespace mnist_dist
