#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "base/descriptor.h"
#include "base/error.h"

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
  const char* hint = error == ENOSPC || error == EDQUOT ? "free some space there, or choose another place"
                     : error == EFBIG                   ? "raise the limit on file sizes (ulimit -f), or choose another place"
                                                        : "check the path and its permissions, or choose another place";
  throw data_error(fmt::format("cannot {} {}: {}", action, path.string(), std::strerror(error)), hint);
}

/// What a symbolic link leads to, be it there or not: renaming would replace the link. Other paths as they are.
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

}  // namespace

void write_file_atomically(const fs::path& named, std::span<const std::byte> bytes) {
  const fs::path path = behind_links(named);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code made;
  fs::create_directories(folder, made);
  if (made) fail("create", folder, made.value());

  // The process id keeps two programs that write the same file from sharing one temporary file.
  TemporaryFile temporary{path.string() + fmt::format(".tmp{}", ::getpid())};
  {
    const Descriptor file(::open(temporary.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) fail("write", path, errno);
    while (!bytes.empty()) {
      const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write", path, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) fail("write", path, errno);
  }
  rename_file(temporary.path, path);
  temporary.kept = true;
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail("write", to, errno);
  const fs::path folder = to.has_parent_path() ? to.parent_path() : fs::path(".");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some network file systems cannot sync a folder; the file itself is safe by now.
  if (directory.get() >= 0) ::fsync(directory.get());
}

void write_file_atomically(const fs::path& path, std::string_view text) { write_file_atomically(path, std::as_bytes(std::span(text))); }

std::vector<std::byte> read_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) fail("read", path, error.value());
  std::vector<std::byte> bytes(size);
  errno = 0;  // a file that became shorter ends without an error of its own
  std::ifstream in(path, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) fail("read", path, errno ? errno : EIO);
  return bytes;
}

std::string read_text_file(const fs::path& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mnist_dist
