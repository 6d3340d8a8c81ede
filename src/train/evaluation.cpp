#include "train/evaluation.h"

#include <cstring>

namespace mnist_dist {

Score score_of(const Sums& sums) {
  const double images = static_cast<double>(sums.images);
  if (sums.images == 0) return {};
  return {sums.loss / images, 100.0 * static_cast<double>(sums.correct) / images, sums.correct, sums.images};
}

Score evaluate(Communicator& comm, Engine& engine, Weights weights, std::vector<std::uint8_t>* predictions) {
  comm.set_activity("evaluation");
  std::vector<std::uint8_t> mine;
  const std::vector<Sums> shares = engine.evaluate(weights, predictions ? &mine : nullptr);
  Sums total;
  for (const auto& bytes : comm.all_gather(std::as_bytes(std::span(shares)))) {
    std::vector<Sums> of_rank(bytes.size() / sizeof(Sums));
    std::memcpy(of_rank.data(), bytes.data(), bytes.size());
    for (const Sums& share : of_rank) {
      total.images += share.images;
      total.correct += share.correct;
      total.loss += share.loss;
    }
  }
  if (predictions) {
    predictions->clear();
    for (const auto& bytes : comm.all_gather(std::as_bytes(std::span(mine))))
      for (const std::byte b : bytes) predictions->push_back(std::to_integer<std::uint8_t>(b));
  }
  return score_of(total);
}

}  // namespace mnist_dist
