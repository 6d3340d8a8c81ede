#include "train/evaluation.h"

#include <cstring>

namespace mnist_dist {

Score score_of(const Sums& sums) {
  const double images = static_cast<double>(sums.images);
  if (sums.images == 0) return {};
  return {sums.loss / images, 100.0 * static_cast<double>(sums.correct) / images, sums.correct,
          sums.images};
}

namespace {

/// The values of all ranks, rank after rank. Collective.
template <class T>
std::vector<T> gathered(Communicator& comm, std::span<const T> mine) {
  std::vector<T> all;
  for (const auto& bytes : comm.all_gather(std::as_bytes(mine))) {
    const std::size_t before = all.size();
    all.resize(before + bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(all.data() + before, bytes.data(), bytes.size());
  }
  return all;
}

}  // namespace

Score evaluate(Communicator& comm, Engine& engine, Weights weights,
               std::vector<ClassIndex>* predictions, std::vector<float>* logits) {
  comm.set_activity("evaluation");
  std::vector<ClassIndex> classes;
  std::vector<float> values;
  const std::vector<Sums> shares =
      engine.evaluate(weights, predictions ? &classes : nullptr, logits ? &values : nullptr);
  Sums total;
  for (const Sums& share : gathered<Sums>(comm, shares)) {
    total.images += share.images;
    total.correct += share.correct;
    total.loss += share.loss;
  }
  if (predictions) *predictions = gathered<ClassIndex>(comm, classes);
  if (logits) *logits = gathered<float>(comm, values);
  return score_of(total);
}

Score evaluate(Communicator& comm, Engine& engine, Weights weights,
               std::span<const ImagesView> shares, std::vector<Prediction>& predictions) {
  std::vector<ClassIndex> classes, labels;
  std::vector<float> logits;
  const Score score = evaluate(comm, engine, weights, &classes, &logits);
  for (const ImagesView& share : shares)
    labels.insert(labels.end(), share.labels.begin(), share.labels.end());
  predictions =
      predictions_of(shares.front().first_row, gathered<ClassIndex>(comm, labels), classes, logits);
  return score;
}

}  // namespace mnist_dist
