#include "base/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/error.h"

namespace mnist_dist {

FolderLock::FolderLock(const std::filesystem::path& folder) : path_(folder), folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (folder_.get() < 0 || ::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  throw usage_error(fmt::format("another process is working in {}", folder.string()), "wait for it, or choose another folder");
}

void FolderLock::check_in_place() const {
  struct stat held {};
  struct stat there {};
  if (::fstat(folder_.get(), &held) != 0) return;  // not opened: then a write says why
  if (::stat(path_.c_str(), &there) == 0 && there.st_dev == held.st_dev && there.st_ino == held.st_ino) return;
  throw data_error(fmt::format("{} was moved, removed or replaced while this process was working in it", path_.string()),
                   "if it was moved, go on where it is now, else start again; leave a folder in place until the work in it has ended");
}

}  // namespace mnist_dist
