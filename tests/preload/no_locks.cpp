// LD_PRELOAD: a file system without locks. flock and fcntl's locks fail with $NO_LOCKS_ERRNO: 37
// (ENOLCK, NFS without lockd), 38 (ENOSYS, Lustre without its option flock), 95 (EOPNOTSUPP, some
// FUSE), 524 (ENOTSUPP, DVS).
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <initializer_list>

namespace {

int refuse() {
  const char* number = std::getenv("NO_LOCKS_ERRNO");
  errno = number ? std::atoi(number) : ENOLCK;
  return -1;
}

int filtered_fcntl(const char* name, int fd, int command, void* argument) {
  for (const int lock : {F_SETLK, F_SETLKW, F_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK})
    if (command == lock) return refuse();
  return reinterpret_cast<int (*)(int, int, ...)>(dlsym(RTLD_NEXT, name))(fd, command, argument);
}

}  // namespace

extern "C" {

int flock(int, int) noexcept { return refuse(); }

int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return filtered_fcntl("fcntl", fd, command, argument);
}

int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return filtered_fcntl("fcntl64", fd, command, argument);
}

}  // extern "C"
