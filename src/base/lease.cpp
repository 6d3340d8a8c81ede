#include "base/lease.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/provenance.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// The contents of a lease file: one word and its value per line.
struct Record {
  std::string id, node, host;
  pid_t pid = 0;
  std::uint64_t started = 0;  ///< of the process
  std::uint64_t inode = 0;    ///< of the file: a copy has a different one
  double share = 0;           ///< of the work that is done
};

/// All texts of one holder have the same length, so that a renewal replaces the one before it.
std::string text_of(const Record& r, std::uint64_t renewals, double share) {
  return fmt::format(
      "lease {}\nnode {}\nhost {}\nprocess {}\nstarted {}\ninode {}\nrenewals {:020}\n"
      "share {:.4f}\n",
      r.id, r.node, r.host, r.pid, r.started, r.inode, renewals, share);
}

/// Missing values are empty: on a file system without links a file exists before its text.
Record parse(const std::string& text) {
  Record r;
  std::istringstream lines(text);
  std::string word, id;
  std::uint64_t renewals = 0;
  lines >> word >> id >> word >> r.node >> word >> r.host >> word >> r.pid >> word >> r.started >>
      word >> r.inode >> word >> renewals;
  if (lines && id.find_first_not_of("0123456789abcdef") == std::string::npos) r.id = id;
  if (!(lines >> word >> r.share)) r.share = 0;  // earlier versions wrote none
  return r.id.empty() ? Record{} : r;
}

struct Reading {
  std::optional<std::string> text;
  int error = 0;  ///< why there is no text
  bool missing() const { return error == ENOENT || error == ENOTDIR || error == ESTALE; }
};

/// Opened each time, so that NFS reads the server's file. Neither waits for the writer of a pipe
/// nor follows a link, whose target might be missing although the name is taken.
Reading read(const fs::path& file) {
  std::string text(1024, '\0');
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  const ssize_t size = in.get() < 0 ? -1 : ::pread(in.get(), text.data(), text.size(), 0);
  if (size < 0) return {std::nullopt, errno};
  text.resize(static_cast<std::size_t>(size));
  return {std::move(text)};
}

enum class Life { here, ended, elsewhere };

/// The life of a holder, as far as this node can see.
Life life_of(const Record& holder, const fs::path& file) {
  if (holder.node != node_id()) return Life::elsewhere;
  struct stat status {};
  const bool copied = ::stat(file.c_str(), &status) == 0 && status.st_ino != holder.inode;
  return copied || !process_runs(holder.pid, holder.started) ? Life::ended : Life::here;
}

Record own_record() {
  static_assert(sizeof(std::random_device::result_type) == 4);
  std::random_device random;
  return {.id = fmt::format("{:08x}{:08x}", random(), random()),
          .node = node_id(),
          .host = host_name(),
          .pid = ::getpid(),
          .started = start_of_process(::getpid())};
}

[[noreturn]] void fail(const fs::path& file, int error, const char* action = "write") {
  throw data_error(fmt::format("cannot {} {}: {}", action, file.string(), std::strerror(error)),
                   "check the folder's space and permissions, or choose a different folder");
}

bool write_at_start(int fd, const std::string& text) {
  return ::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()) &&
         ::fsync(fd) == 0;
}

/// A lease's file with its text, under a name of its own. It is closed at once, as NFS keeps an
/// open file whose name goes under another one.
struct Draft {
  Record record = own_record();
  fs::path path;

  explicit Draft(const fs::path& lease)
      : path(temporary_name(fmt::format("{}.{}", lease.string(), record.id))) {
    write_new(path, record, lease);
  }
  Draft(const Draft&) = delete;
  ~Draft() { ::unlink(path.c_str()); }  // after a rename there is none

  /// Makes `file`, which must not exist. Gives false when it does.
  static bool write_new(const fs::path& file, Record& record, const fs::path& lease) {
    const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (out.get() < 0 && errno == EEXIST) return false;
    struct stat status {};
    if (out.get() < 0 || ::fstat(out.get(), &status) != 0) fail(lease, errno);
    record.inode = status.st_ino;
    if (write_at_start(out.get(), text_of(record, 0, 0))) return true;
    const int error = errno;
    ::unlink(file.c_str());
    fail(lease, error);
  }

  /// Makes `lease` of it, never half written. On a file system without links it is empty at first.
  /// False if a lease exists.
  bool put_in_place(const fs::path& lease) {
    const int refused = ::link(path.c_str(), lease.c_str()) == 0 ? 0 : errno;
    struct stat status {};
    // NFS may report an error for a link that it made.
    if (refused == 0 || (::stat(path.c_str(), &status) == 0 && status.st_nlink == 2)) return true;
    return refused != EEXIST && write_new(lease, record, lease);
  }
};

/// Now, as the file system would date a write to `lease`.
fs::file_time_type now_beside(const fs::path& lease) {
  try {
    const Draft draft(lease);
    return fs::last_write_time(draft.path);
  } catch (const Error&) {
    return fs::file_time_type::clock::now();
  }
}

}  // namespace

class Lease::Holder {
 public:
  Holder(fs::path path, Record record, LeasePace pace)
      : path_(std::move(path)), record_(std::move(record)) {
    sigset_t all, before;  // signals are for the threads that were there
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    renewing_ = std::thread([this, pace] { renew(pace); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Holder() {
    {
      const std::lock_guard guard(mutex_);
      ended_ = true;
    }
    wake_.notify_all();
    renewing_.join();
    if (in_place()) ::unlink(path_.c_str());
  }
  /// A file that cannot be read for now is not lost. A write to its folder has the reason.
  bool in_place() const {
    const Reading now = read(path_);
    return now.text ? parse(*now.text).id == record_.id : !now.missing();
  }
  const std::string& id() const { return record_.id; }
  void set_share(double share) { share_ = std::clamp(share, 0.0, 1.0); }

 private:
  /// Opened each time, which NFS takes as the moment to send it. Between look and write no other
  /// process comes: to take the lease over it watches for much longer.
  void renew(LeasePace pace) {
    std::unique_lock guard(mutex_);
    for (std::uint64_t renewals = 1;
         !wake_.wait_for(guard, pace.renewal, [this] { return ended_; }); ++renewals) {
      const Descriptor file(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
      if (file.get() >= 0 && in_place())
        write_at_start(file.get(), text_of(record_, renewals, share_));
    }
  }

  const fs::path path_;
  const Record record_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::atomic<double> share_ = 0;
  std::thread renewing_;
};

Lease::Lease(std::unique_ptr<Holder> holder) : holder_(std::move(holder)) {}
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&&) noexcept = default;
Lease::~Lease() = default;
bool Lease::in_place() const { return holder_->in_place(); }
const std::string& Lease::id() const { return holder_->id(); }
void Lease::set_share(double share) { holder_->set_share(share); }

std::optional<double> lease_share(const fs::path& file) {
  const Reading now = read(file);
  if (!now.text) return std::nullopt;
  return parse(*now.text).share;
}

bool lease_is_held(const fs::path& file) {
  const Reading now = read(file);
  if (!now.text) return false;
  const Life life = life_of(parse(*now.text), file);
  if (life != Life::elsewhere) return life == Life::here;
  std::error_code gone;
  const auto renewed = fs::last_write_time(file, gone);
  return !gone && now_beside(file) - renewed < LeasePace{}.stale;
}

LeaseSeeker::LeaseSeeker(fs::path file, LeasePace pace, std::shared_ptr<AwakeClock> clock)
    : file_(std::move(file)), pace_(pace), clock_(std::move(clock)) {}

std::optional<Lease> LeaseSeeker::try_take() {
  holder_lives_ = false;
  const Reading now = read(file_);
  const auto& text = now.text;
  if (!text && !now.missing()) fail(file_, now.error, "read");
  if (!text) {
    Draft draft(file_);
    if (!draft.put_in_place(file_)) return std::nullopt;
    return Lease(std::make_unique<Lease::Holder>(file_, draft.record, pace_));
  }
  const Record holder = parse(*text);
  holder_ = holder.id.empty() ? "an unknown process"
                              : fmt::format("process {} on host {}", holder.pid, holder.host);
  const double now_seconds = clock_->seconds();
  if (!unchanged_since_ || *text != seen_) {
    holder_lives_ = unchanged_since_.has_value();
    seen_ = *text;
    unchanged_since_ = now_seconds;
  }
  const double watched = now_seconds - *unchanged_since_;
  switch (life_of(holder, file_)) {
    case Life::here:
      holder_lives_ = holder_lives_ || pace_.running_keeps;
      if (pace_.running_keeps) return std::nullopt;
      [[fallthrough]];
    case Life::elsewhere:
      if (watched < std::chrono::duration<double>(pace_.stale).count()) return std::nullopt;
      break;
    case Life::ended:
      break;
  }
  return take_over(*text, holder.id);
}

std::optional<Lease> LeaseSeeker::take_over(const std::string& stale_text,
                                            const std::string& stale_id) {
  const fs::path right_file =
      fmt::format("{}.{}", file_.string(), stale_id.empty() ? "empty" : stale_id);
  if (!right_ || right_file != right_file_)
    right_ = std::make_unique<LeaseSeeker>(right_file_ = right_file, pace_, clock_);
  const std::optional<Lease> right = right_->try_take();
  if (!right) return std::nullopt;
  const Draft draft(file_);
  // Replaced by the one that had the right before, or this process was stopped and lost the right.
  if (read(file_).text != stale_text || !right->in_place()) return std::nullopt;
  if (::rename(draft.path.c_str(), file_.c_str()) != 0) {
    if (errno == ENOENT) return std::nullopt;  // another process removed the draft as a leftover
    fail(file_, errno);
  }
  return Lease(std::make_unique<Lease::Holder>(file_, draft.record, pace_));
}

}  // namespace mnist_dist
