#pragma once
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace mnist_dist {

/// Exit codes of the process. They are part of the contract with scripts (docs/files.md).
enum class ExitCode {
  ok = 0,
  internal = 1,  ///< a defect of ours
  usage = 2,     ///< command line, config, ranks > shards, run folder exists, nothing to resume
  data = 3,      ///< missing or damaged data, unwritable or full file system
  device = 4,    ///< MPI, NCCL, GPU
  diverged = 5,  ///< a loss, gradient or parameter stopped being finite
  target_missed = 6,  ///< a sweep's verdict, or verify found other weights
  interrupted = 130,  ///< a signal requested a clean stop
};

/// The reason that ends a command early. what() is the problem and hint() the remedy, one line
/// each. cli/world.h chooses the rank that prints it and maps it to an exit code, for a command of
/// one rank cli/failure.h.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& what, std::string hint)
      : std::runtime_error(what), code_(code), hint_(std::move(hint)) {}
  ExitCode code() const { return code_; }
  const std::string& hint() const { return hint_; }
  /// Every rank throws this same error: rank 0 prints it and all return. Otherwise the rank that
  /// met it prints it and ends the others.
  bool is_on_all_ranks() const { return on_all_ranks_; }

 private:
  friend Error on_all_ranks(Error error);
  ExitCode code_;
  std::string hint_;
  bool on_all_ranks_ = false;
};

/// The same error, for a place where every rank throws it.
inline Error on_all_ranks(Error error) {
  error.on_all_ranks_ = true;
  return error;
}

inline Error usage_error(const std::string& what, std::string hint) {
  return {ExitCode::usage, what, std::move(hint)};
}
inline Error data_error(const std::string& what, std::string hint) {
  return {ExitCode::data, what, std::move(hint)};
}
inline Error device_error(const std::string& what, std::string hint) {
  return {ExitCode::device, what, std::move(hint)};
}

/// A defect of ours.
inline Error internal_error(const std::string& what) {
  return {ExitCode::internal, what, "please report this"};
}
/// The hint for a file of a sweep or a run that is not as it was written.
inline constexpr const char* changed_file_hint =
    "put the file back as it was, or begin in a different folder";
/// A file of a sweep or a run that is not as it was written. `where` names it.
inline Error changed_file_error(const std::string& where, const std::string& what) {
  return data_error(where + ": " + what, changed_file_hint);
}
/// A file whose contents cannot be read.
inline Error damaged_file_error(const std::string& file, const std::string& what,
                                std::string hint = changed_file_hint) {
  return data_error(file + " is damaged: " + what, std::move(hint));
}

/// The Error for an exception: an Error unchanged, those of the file system, of memory and of
/// threads with their code and hint, all others as internal errors.
Error as_error(std::exception_ptr exception);

}  // namespace mnist_dist
