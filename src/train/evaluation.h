#pragma once
#include "comm/communicator.h"
#include "engine/engine.h"
#include "train/observer.h"

namespace mnist_dist {

/// Scores the weights on every rank's shares: exact counts, losses added in the order of the
/// shares, so that no number of ranks changes a bit. All ranks get the result. `predictions`, when
/// given, gets the class of every row, in row order, and `logits` the ten logits of every row.
/// Collective.
Score evaluate(Communicator& comm, Engine& engine, Weights weights,
               std::vector<ClassIndex>* predictions = nullptr,
               std::vector<float>* logits = nullptr);

/// The same with the predictions for all rows. `shares`: this rank's.
Score evaluate(Communicator& comm, Engine& engine, Weights weights,
               std::span<const ImagesView> shares, std::vector<Prediction>& predictions);

/// The score of sums.
Score score_of(const Sums& sums);

}  // namespace mnist_dist
