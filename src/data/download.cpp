#include "data/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/signals.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Without a network this is what a person waits for, once a mirror: long enough for a slow line's name look-up, short enough to bear.
constexpr long connect_seconds = 5;
// Slower than this for so long is a dead line; the next mirror may do better, and what came stays.
constexpr long low_speed_bytes_per_second = 1000, low_speed_seconds = 15;
constexpr auto progress_interval = std::chrono::seconds(2);
constexpr auto lock_interval = std::chrono::milliseconds(100);

/// "host.example" of "https://host.example/mnist"; the whole address when it has no host.
std::string host_of(const std::string& address) {
  const auto begin = address.find("://");
  if (begin == std::string::npos) return address;
  const std::string host = address.substr(begin + 3, address.find('/', begin + 3) - begin - 3);
  return host.empty() ? address : host;
}

void throw_if_stopped(const std::string& name) {
  if (stop_requested())
    throw Error(ExitCode::interrupted, fmt::format("stopped by a signal while downloading {}", name), "the next start goes on with what has come");
}

bool is_named(const Descriptor& file, const fs::path& path) {
  struct stat opened = {}, named = {};
  return ::fstat(file.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/// The unfinished file NAME.part, open for appending and locked, so that two processes never write it at once. One of no bytes is removed at the end.
class PartialFile {
 public:
  PartialFile(const fs::path& folder, const std::string& name, const std::string& hint, const Progress& progress)
      : path_(folder / (name + ".part")), hint_(hint), file_(open_locked(name, progress)) {}
  ~PartialFile() {
    if (size() == 0) ::unlink(path_.c_str());
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const fs::path& path() const { return path_; }
  curl_off_t size() const { return ::lseek(file_.get(), 0, SEEK_END); }
  void clear() {
    if (::ftruncate(file_.get(), 0) != 0) throw failure(errno);
  }
  /// False after a failure, which throw_if_unwritable then throws: libcurl, which calls this, is C and changes errno.
  bool append(const char* data, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
      const ssize_t written = ::write(file_.get(), data + done, size - done);
      if (written < 0 && errno != EINTR) return error_ = errno, false;
      if (written > 0) done += static_cast<std::size_t>(written);
    }
    return true;
  }
  void throw_if_unwritable() const {
    if (error_ != 0) throw failure(error_);
  }
  void finish(const fs::path& destination) {
    if (::fsync(file_.get()) != 0 || ::rename(path_.c_str(), destination.c_str()) != 0) throw failure(errno);
  }

 private:
  Error failure(int error) const { return data_error(fmt::format("cannot write {}: {}", path_.string(), std::strerror(error)), hint_); }

  Descriptor open_locked(const std::string& name, const Progress& progress) const {
    for (bool told = false;;) {
      Descriptor file(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
      if (file.get() < 0) throw failure(errno);
      // Best effort: some network file systems have no locks. Not one call that waits, which a signal would not end.
      while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        throw_if_stopped(name);
        if (!std::exchange(told, true)) progress(fmt::format("waiting for another process that is downloading {}", name));
        std::this_thread::sleep_for(lock_interval);
      }
      // Whoever had the lock may have given the file its final name, or removed it.
      if (is_named(file, path_)) return file;
    }
  }

  fs::path path_;
  std::string hint_;
  int error_ = 0;
  Descriptor file_;
};

/// What libcurl's callbacks see of a transfer.
struct Transfer {
  PartialFile& file;
  curl_off_t had;  ///< bytes from an earlier attempt
  const std::string& name;
  const Progress& progress;
  Clock::time_point last_line = Clock::now();
};

std::size_t on_bytes(char* data, std::size_t, std::size_t size, void* user) {
  return static_cast<Transfer*>(user)->file.append(data, size) ? size : 0;
}

int on_progress(void* user, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (total > 0 && Clock::now() - transfer.last_line >= progress_interval) {
    transfer.last_line = Clock::now();
    const auto megabytes = [&](curl_off_t bytes) { return static_cast<double>(transfer.had + bytes) * 1e-6; };
    transfer.progress(fmt::format("{}: {:.1f} of {:.1f} MB", transfer.name, megabytes(now), megabytes(total)));
  }
  return stop_requested();  // else than 0 ends the transfer; libcurl asks once a second or more often, also while nothing comes
}

/// Appends to `file` what it lacks of `url`. Returns why it failed, or "". Clears the file when the server cannot continue it.
std::string fetch(const std::string& url, PartialFile& file, const std::string& name, const Progress& progress) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(::curl_easy_init(), ::curl_easy_cleanup);
  if (!curl) throw Error(ExitCode::internal, "libcurl cannot be initialised", "check the libcurl installation");
  Transfer transfer{file, file.size(), name, progress};
  char reason[CURL_ERROR_SIZE] = "";
  const auto set = [&](CURLoption option, auto value) { ::curl_easy_setopt(curl.get(), option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_ERRORBUFFER, reason);
  set(CURLOPT_FAILONERROR, 1L);  // an error page is not the file
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, connect_seconds);
#if CURL_AT_LEAST_VERSION(7, 87, 0)
  set(CURLOPT_QUICK_EXIT, 1L);  // else a name server that does not answer is waited for beyond that
#endif
  set(CURLOPT_LOW_SPEED_LIMIT, low_speed_bytes_per_second);
  set(CURLOPT_LOW_SPEED_TIME, low_speed_seconds);
  set(CURLOPT_RESUME_FROM_LARGE, transfer.had);
  set(CURLOPT_WRITEFUNCTION, &on_bytes);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);
  const CURLcode code = ::curl_easy_perform(curl.get());
  if (code == CURLE_OK) return "";
  file.throw_if_unwritable();
  throw_if_stopped(name);

  long status = 0;
  ::curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  constexpr long range_not_satisfiable = 416;
  if (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME || status == range_not_satisfiable) file.clear();
  return *reason ? reason : ::curl_easy_strerror(code);
}

}  // namespace

std::string download(const std::string& name, std::span<const std::string> mirrors, const fs::path& folder,
                     const std::function<void(const fs::path&)>& check, const std::string& hint, const Progress& progress) {
  std::error_code made;
  fs::create_directories(folder, made);
  if (made) throw data_error(fmt::format("cannot create {}: {}", folder.string(), made.message()), hint);
  PartialFile file(folder, name, hint, progress);
  if (fs::exists(folder / name)) return "";

  std::vector<std::string> reasons;
  for (const std::string& mirror : mirrors) {
    for (bool again = true; again;) {
      const bool resumed = file.size() > 0;
      progress(fmt::format("{} {} from {}", resumed ? "continuing" : "downloading", name, host_of(mirror)));
      std::string reason = fetch(mirror + "/" + name, file, name, progress);
      if (reason.empty()) try {
          check(file.path());
          file.finish(folder / name);
          return host_of(mirror);
        } catch (const Error& error) {
          reason = error.what();
          file.clear();
        }
      // The bytes that were there may have been another mirror's: this one gets a chance from the start.
      again = resumed && file.size() == 0;
      if (!again) reasons.push_back(fmt::format("{}: {}", host_of(mirror), reason));
    }
  }
  throw data_error(fmt::format("cannot download {}: {}", name, fmt::join(reasons, "; ")), hint);
}

}  // namespace mnist_dist
