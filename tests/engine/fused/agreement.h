#pragma once
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/fused/reference.h"

namespace mnist_dist {

/// A slice and what it points to.
struct TestSlice {
  Images images;
  std::vector<const std::uint8_t*> pointers;
  std::vector<std::uint32_t> rows;
  std::uint32_t epoch = 0;
  Slice slice() const {
    return {.images = pointers, .labels = images.labels, .rows = rows, .epoch = epoch};
  }
};

/// Like digits, mostly background: on plain noise some channels hardly vary, and float's rounding
/// fills what is left.
TestSlice make_slice(int count, int which = 0, const ModelSpec& of = {});

/// The first of such slices on which no decision is closer than float's rounding, so that there is
/// one right gradient: see ReferenceResult::least_margin. Engines were seen to differ in decisions
/// with margins up to 1.2e-6. On slices of three images, whose statistics are less certain, up to
/// 1e-5. Of slices of 16 images of step 2 and 3 one in four has a ReLU or a pool that two engines
/// decide differently.
TestSlice make_decided_slice(const EngineOptions& options, int count,
                             std::span<const float> parameters, double margin = 1e-5);

EngineOptions slice_options(const ModelSpec& model, int slice);

/// Initial weights, with gammas and betas that are not the 1 and 0 which hide mistakes.
std::vector<float> test_parameters(const ModelSpec& model);

double norm_of(std::span<const double> values);

/// Relative L2 error that is allowed a tensor. Winograd's transforms round more than a plain sum.
double tolerance_of(const ModelSpec& model);

/// The scale of a tensor's relative error: the L2 norm of its gradient. Where that is 0 but for
/// rounding (a bias or beta that a later norm layer takes out again), it is the whole gradient's.
double gradient_scale(const ReferenceResult& reference, const ParameterTensor& tensor);

/// Every gradient tensor, every norm layer's means and its variances, the loss and the counts of a
/// worker's result, within tolerance_of the wanted. `reference` gives the scale.
void expect_agreement(const ModelSpec& model, std::span<const float> got,
                      const ReferenceResult& wanted, const ReferenceResult& reference);

/// A worker's result for a slice, as FlatLayout.
std::vector<float> train_slice(SliceWorker& worker, const ModelSpec& model, const Slice& slice,
                               std::span<const float> parameters);

}  // namespace mnist_dist
