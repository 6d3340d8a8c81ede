#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/process.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

/// Removes the temporary file unless it was renamed into place.
struct TemporaryFile {
  fs::path path;
  bool kept = false;
  ~TemporaryFile() {
    if (!kept) ::unlink(path.c_str());
  }
};

[[noreturn]] void fail(const char* action, const fs::path& path, int error) {
  const char* hint =
      error == ENOSPC || error == EDQUOT ? "free some space there, or choose a different place"
      : error == EFBIG ? "raise the limit on file sizes (ulimit -f), or choose a different place"
                       : "check the path and its permissions, or choose a different place";
  throw data_error(fmt::format("cannot {} {}: {}", action, path.string(), std::strerror(error)),
                   hint);
}

/// Renaming would replace a device or a pipe.
void check_replaceable(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  if (S_ISDIR(status.st_mode)) fail("write", path, EISDIR);
  throw data_error(fmt::format("cannot write {}: not a regular file", path.string()),
                   "name a file to write");
}

/// The target of a symbolic link, existing or not, because a rename would replace the link. Other
/// paths are returned unchanged.
fs::path behind_links(fs::path path) {
  constexpr int most_links = 40;  // as Linux allows
  for (int i = 0; i < most_links; ++i) {
    std::error_code is_no_link;
    const fs::path target = fs::read_symlink(path, is_no_link);
    if (is_no_link) break;
    path = path.parent_path() / target;
  }
  return path;
}

/// The parts of FILE.tmpPID.NODE. Earlier versions wrote FILE.tmpPID.
struct TemporaryName {
  std::string file, node;
  pid_t pid = 0;
};

constexpr std::size_t node_digits = 8;

std::optional<TemporaryName> parse_temporary(const std::string& name) {
  static const std::regex pattern(
      fmt::format(R"((.+)\.tmp(\d{{1,9}})(?:\.([0-9a-f]{{{}}}))?)", node_digits));
  std::smatch parts;
  if (!std::regex_match(name, parts, pattern)) return std::nullopt;
  return TemporaryName{parts[1],
                       parts[3].matched ? parts[3].str() : node_id().substr(0, node_digits),
                       std::stoi(parts[2])};
}

bool is_one_of(const TemporaryName& name, std::span<const std::string_view> names) {
  return std::ranges::any_of(
      names, [&](std::string_view beginning) { return name.file.starts_with(beginning); });
}

bool is_abandoned_here(const TemporaryName& name) {
  // One with this process's own id is of an earlier process.
  return name.node == node_id().substr(0, node_digits) &&
         (name.pid == ::getpid() || !process_runs(name.pid));
}

/// No write takes so long, and clocks of two hosts differ by less.
bool is_old(const fs::path& file) {
  constexpr std::chrono::hours longest_write{24};
  std::error_code unreadable;
  const auto written = fs::last_write_time(file, unreadable);
  return !unreadable && written < fs::file_time_type::clock::now() - longest_write;
}

template <class Wanted>
void remove_temporaries(const fs::path& folder, const Wanted& wanted) {
  for (const std::string& entry : entry_names(folder)) {
    const fs::path file = folder / entry;
    const auto name = parse_temporary(entry);
    if (name && wanted(file, *name)) ::unlink(file.c_str());
  }
}

void write_all(int file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

int open_new(const fs::path& own, const fs::path& path) {
  const int file = ::open(own.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail("write", path, errno);
  return file;
}

/// Writes a file of this process. Errors name `path`.
void write_new(const fs::path& own, const fs::path& path, std::string_view bytes) {
  const Descriptor file(open_new(own, path));
  write_all(file.get(), bytes, path);
  if (::fsync(file.get()) != 0) fail("write", path, errno);
}

void sync_folder_of(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some network file systems cannot sync a folder. The file itself is safe by now.
  if (directory.get() >= 0) ::fsync(directory.get());
}

}  // namespace

void make_folders(const fs::path& folder) {
  if (folder.empty()) return;  // the one that this process works in
  std::error_code error;
  fs::create_directories(folder, error);
  if (error && !fs::is_directory(folder)) fail("create", folder, error.value());
}

fs::path temporary_name(const fs::path& path) {
  return path.string() + fmt::format(".tmp{}.{}", ::getpid(), node_id().substr(0, node_digits));
}

bool is_temporary(const fs::path& file, std::span<const std::string_view> names) {
  const auto name = parse_temporary(file.filename().string());
  return name && is_one_of(*name, names);
}

std::vector<std::string> entry_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  return names;
}

void remove_leftovers_in(const fs::path& locked_folder, std::span<const std::string_view> names) {
  remove_temporaries(locked_folder, [&](const fs::path&, const TemporaryName& name) {
    return is_one_of(name, names) &&
           (name.node != node_id().substr(0, node_digits) || is_abandoned_here(name));
  });
}

void remove_leftovers_beside(const fs::path& named) {
  std::error_code error;
  const fs::path file = fs::absolute(behind_links(named), error);
  remove_temporaries(file.parent_path(), [&](const fs::path& temporary, const TemporaryName& name) {
    return name.file == file.filename() && (is_abandoned_here(name) || is_old(temporary));
  });
}

void write_file_atomically(const fs::path& named, std::string_view bytes) {
  const fs::path path = behind_links(named);
  check_replaceable(path);
  TemporaryFile temporary{temporary_name(path)};
  write_new(temporary.path, path, bytes);
  rename_file(temporary.path, path);
  temporary.kept = true;
}

AtomicFile::AtomicFile(const fs::path& path)
    : path_(behind_links(path)), temporary_(temporary_name(path_)) {
  check_replaceable(path_);
  file_ = open_new(temporary_, path_);
}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view text) {
  constexpr std::size_t enough = 1 << 20;
  waiting_ += text;
  if (waiting_.size() >= enough) flush();
}

void AtomicFile::flush() {
  write_all(file_, waiting_, path_);
  waiting_.clear();
}

void AtomicFile::put_in_place() {
  flush();
  if (::fsync(file_) != 0) fail("write", path_, errno);
  rename_file(temporary_, path_);
  ::close(std::exchange(file_, -1));
}

bool create_file_atomically(const fs::path& path, std::string_view text) {
  TemporaryFile temporary{temporary_name(path)};
  write_new(temporary.path, path, text);
  const int refused = ::link(temporary.path.c_str(), path.c_str()) == 0 ? 0 : errno;
  struct stat status {};
  // NFS may report an error for a link that it made.
  const bool made =
      refused == 0 || (::stat(temporary.path.c_str(), &status) == 0 && status.st_nlink == 2);
  if (made) sync_folder_of(path);
  if (made || refused == EEXIST || ::access(path.c_str(), F_OK) == 0) return made;
  rename_file(temporary.path, path);  // a file system without links
  return temporary.kept = true;
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail("write", to, errno);
  sync_folder_of(to);
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  write_file_atomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::vector<std::byte> read_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) fail("read", path, error.value());
  std::vector<std::byte> bytes(size);
  errno = 0;  // a file that became shorter ends without an error of its own
  std::ifstream in(path, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size)))
    fail("read", path, errno ? errno : EIO);
  return bytes;
}

std::string read_text_file(const fs::path& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string read_proc_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace mnist_dist
