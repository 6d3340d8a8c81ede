#include "train/held_folder.h"

#include <span>

namespace mnist_dist {

std::optional<Error> HeldFolder::lost() const {
  try {
    if (comm_.rank() == 0 && lock_) lock_->check_in_place();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

void HeldFolder::check() const {
  std::optional<Error> error = lost();
  bool is_lost = error.has_value();
  comm_.broadcast(std::as_writable_bytes(std::span(&is_lost, 1)), 0);
  if (!is_lost) return;
  if (!error) error = data_error("rank 0 lost the run folder", "see the message of rank 0");
  throw on_all_ranks(Error(*error));
}

void HeldFolder::write(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.code() != ExitCode::data || !lost()) throw;
    is_lost_ = true;
  }
}

void HeldFolder::write_if_held(const std::function<void()>& work) {
  is_lost_ = lost().has_value();
  if (!is_lost_) write(work);
}

}  // namespace mnist_dist
