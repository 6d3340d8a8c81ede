#include "base/error.h"

#include <fmt/format.h>

#include <filesystem>
#include <new>
#include <system_error>

namespace mnist_dist {
namespace {

/// The line with the cause, of a library's report of many lines.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Error as_error(std::exception_ptr exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ExitCode::internal, "out of memory", "use fewer ranks or threads on this machine"};
  } catch (const std::filesystem::filesystem_error& error) {
    return {ExitCode::data, fmt::format("{}: {}", error.path1().string(), error.code().message()),
            "check the path, its permissions and the space there"};
  } catch (const std::system_error&
               error) {  // a folder that cannot be looked into, a full disk behind stdout
    if (error.code() == std::errc::resource_unavailable_try_again)
      return {ExitCode::internal, "no more threads available",
              "use fewer ranks or threads on this machine"};
    return {ExitCode::data, error.what(), "check the path, its permissions and the space there"};
  } catch (const std::exception& error) {
    return {ExitCode::internal, first_line(error.what()),
            "report this defect of mnist-dist with the command line"};
  } catch (...) {
    return {ExitCode::internal, "unknown failure",
            "report this defect of mnist-dist with the command line"};
  }
}

}  // namespace mnist_dist
