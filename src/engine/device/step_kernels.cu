#include "base/kernel.h"
#include "engine/device/kernels.h"
#include "engine/update_rule.h"

namespace mnist_dist {
namespace {

struct Tail {
  static constexpr int block_threads = 256;
  static constexpr int counters = 64;
  struct Scratch {
    int images, correct;
    int part_images[counters], part_correct[counters];
  };
  VectorTail tail;

  MNIST_DIST_HOST_DEVICE void operator()(const Team& team, int, Scratch& scratch) const {
    for (int counter = team.thread(); counter < counters; counter += team.threads())
      count(counter, scratch);
    team.sync();
    if (team.thread() == 0) add_up(scratch);
    team.sync();
    const auto part_images = static_cast<float>(scratch.images / tail.parts);
    for (int e = team.thread(); e < static_cast<int>(tail.norm_count); e += team.threads()) {
      float sum = 0;
      for (int part = 0; part < tail.parts; ++part)
        sum += tail.statistics[tail.first[e] + part * tail.stride[e]] * part_images;
      tail.vector[tail.parameter_count + static_cast<std::size_t>(e)] = sum;
    }
    if (team.thread() != 0) return;
    float* const end = tail.vector + tail.parameter_count + tail.norm_count;
    end[0] = static_cast<float>(scratch.images);
    end[1] = *tail.loss;
    end[2] = static_cast<float>(scratch.correct);
    end[3] = *tail.stop != 0 ? 1.0f : 0.0f;
  }

 private:
  /// Every 64th image.
  MNIST_DIST_HOST_DEVICE void count(int counter, Scratch& scratch) const {
    int images = 0, correct = 0;
    for (int i = counter; i < tail.count; i += counters) {
      if (tail.labels[i] == no_image) continue;
      const float* row = tail.logits + i * tail.classes;
      int best = 0;
      for (int c = 1; c < tail.classes; ++c)
        if (row[c] > row[best]) best = c;
      ++images;
      correct += best == tail.labels[i] ? 1 : 0;
    }
    scratch.part_images[counter] = images;
    scratch.part_correct[counter] = correct;
  }

  MNIST_DIST_HOST_DEVICE static void add_up(Scratch& scratch) {
    scratch.images = scratch.correct = 0;
    for (int counter = 0; counter < counters; ++counter) {
      scratch.images += scratch.part_images[counter];
      scratch.correct += scratch.part_correct[counter];
    }
  }
};

/// One block: the whole vector must be known to be finite before any of it is used.
struct ApplyUpdate {
  static constexpr int block_threads = 1024;
  struct Scratch {
    int step, skip, infinite;
  };
  DeviceUpdate u;

  MNIST_DIST_HOST_DEVICE void operator()(const Team& team, int, Scratch& scratch) const {
    DeviceProgress& progress = *u.progress;
    if (team.thread() == 0) {
      scratch.step = progress.step;
      scratch.skip = progress.stopped_at >= 0 || progress.non_finite_at >= 0 ? 1 : 0;
      scratch.infinite = 0;
    }
    team.sync();
    const auto size = static_cast<int>(u.parameter_count + u.norm_count + 4);
    for (int i = team.thread(); i < size; i += team.threads())
      if (!is_finite(u.total[i])) scratch.infinite = 1;
    team.sync();
    if (scratch.skip == 0 && scratch.infinite == 0) apply(team, scratch.step, progress.updates);
    team.sync();
    if (team.thread() == 0) move_on(scratch, progress);
  }

 private:
  MNIST_DIST_HOST_DEVICE void apply(const Team& team, int step, std::int64_t updates) const {
    const float images = u.total[u.parameter_count + u.norm_count], rate = u.rates[step];
    const float share = average_share(u.average_decay, updates);
    for (int i = team.thread(); i < static_cast<int>(u.parameter_count); i += team.threads()) {
      sgd_element(u.total[i], u.parameters[i], u.velocity[i],
                  {.images = images,
                   .rate = rate,
                   .momentum = u.momentum,
                   .decay = u.decay[i],
                   .nesterov = u.nesterov});
      if (u.average_decay > 0) average_element(u.parameters[i], u.average_parameters[i], share);
    }
    for (int i = team.thread(); i < static_cast<int>(u.norm_count); i += team.threads()) {
      running_element(u.total[u.parameter_count + static_cast<std::size_t>(i)],
                      u.norm_statistics[i], images);
      if (u.average_decay > 0)
        average_element(u.norm_statistics[i], u.average_norm_statistics[i], share);
    }
  }

  MNIST_DIST_HOST_DEVICE void move_on(const Scratch& scratch, DeviceProgress& progress) const {
    progress.step = scratch.step + 1;
    if (scratch.skip != 0) return;
    if (scratch.infinite != 0) {
      progress.non_finite_at = scratch.step;
      return;
    }
    const float* end = u.total + u.parameter_count + u.norm_count;
    progress.images += static_cast<std::int64_t>(end[0]);
    progress.loss += static_cast<double>(end[1]);
    progress.correct += static_cast<std::int64_t>(end[2]);
    progress.steps_done = scratch.step + 1;
    ++progress.updates;
    if (end[3] > 0) progress.stopped_at = scratch.step;
  }
};

}  // namespace

void enqueue_tail(const Queue& queue, const VectorTail& tail) { launch(queue, 1, Tail{tail}); }

void enqueue_update(const Queue& queue, const DeviceUpdate& update) {
  launch(queue, 1, ApplyUpdate{update});
}

}  // namespace mnist_dist
