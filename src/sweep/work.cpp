#include "sweep/work.h"

namespace mnist_dist {

SweepEnd work_through(Communicator& group, Leader* leader, const std::function<bool()>& stop_requested, const Work& work) {
  const BetweenSteps between_steps = [&](double share) { return leader ? leader->between_steps(share) : stop_requested(); };
  for (;;) {
    Order order;
    if (leader) order = leader->next_order();
    group.set_activity("waiting for a seed");
    group.broadcast(std::as_writable_bytes(std::span(&order, 1)), 0);
    if (order.kind == Order::end) return order.why;
    if (order.kind != Order::train) continue;
    try {
      const SeedOutcome outcome = work(order.seed, between_steps);
      if (leader) leader->ended(outcome);
    } catch (const Error& error) {
      if (error.code() != ExitCode::interrupted) throw;
      if (leader) leader->stopped();
    }
  }
}

}  // namespace mnist_dist
