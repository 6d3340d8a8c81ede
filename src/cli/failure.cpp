#include "cli/failure.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <system_error>
#include <thread>

#include "report/terminal.h"

namespace mnist_dist {
namespace {

std::string one_line(std::string text) {
  if (const auto end = text.find('\n'); end != std::string::npos) text.resize(end);
  return text;
}

/// This process's rank as the launcher's environment tells it; works before and after MPI.
bool is_rank_zero() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
    if (const char* rank = std::getenv(name)) return std::string_view(rank) == "0";
  return true;
}

}  // namespace

Error as_error(std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ExitCode::internal, "out of memory", "use fewer ranks or threads on this machine"};
  } catch (const std::system_error& error) {  // a folder that cannot be looked into, a full disk behind stdout
    if (error.code() == std::errc::resource_unavailable_try_again)
      return {ExitCode::internal, "the system gives no more threads", "use fewer ranks or threads on this machine"};
    return {ExitCode::data, one_line(error.what()), "check the path, its permissions and the space there"};
  } catch (const std::exception& error) {
    return {ExitCode::internal, one_line(error.what()), "this is a defect of mnist-dist: please report it with the command line"};
  } catch (...) {
    return {ExitCode::internal, "unknown failure", "this is a defect of mnist-dist: please report it with the command line"};
  }
}

void print_error(const Error& error, const std::string& who) {
  const bool color = use_color(Output::standard_error);
  const bool stopped = error.code() == ExitCode::interrupted;
  fmt::print(stderr, "{}{}{}{}{}\n", color ? "\x1b[1;31m" : "", stopped ? "" : "error: ", color ? "\x1b[0m" : "", who.empty() ? "" : who + ": ",
             one_line(error.what()));
  if (!error.hint().empty()) fmt::print(stderr, "{}{}\n", stopped ? "" : "hint: ", one_line(error.hint()));
}

ExitCode report_failure(std::exception_ptr exception) {
  const Error error = as_error(exception);
  if (is_rank_zero())
    print_error(error);
  else
    // The launcher ends all ranks as soon as one has failed. Rank 0, which speaks for all, may start seconds later on a busy machine.
    std::this_thread::sleep_for(std::chrono::seconds(2));
  return error.code();
}

}  // namespace mnist_dist
