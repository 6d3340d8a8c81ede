// LD_PRELOAD: kills the process before the $KILL_AT-th call that changes a file or folder whose
// path contains $KILL_IN: mkdir, a file made, fsync, link, rename, unlink. With $FAIL_ERRNO the
// call fails with this error instead, and so do all later ones.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

/// Whether the call is to fail.
bool reached(const char* path) {
  static int calls = 0;
  const char* in = std::getenv("KILL_IN");
  const char* at = std::getenv("KILL_AT");
  if (!in || !at || !path || !std::strstr(path, in) || ++calls < std::atoi(at)) return false;
  const char* error = std::getenv("FAIL_ERRNO");
  if (!error) ::kill(::getpid(), SIGKILL);
  errno = std::atoi(error);
  return true;
}

std::string path_of(int fd) {
  char path[4096] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  return ::readlink(link.c_str(), path, sizeof path - 1) > 0 ? path : "";
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int mkdir(const char* path, mode_t mode) noexcept {
  return reached(path) ? -1 : next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}
int link(const char* from, const char* to) noexcept {
  return reached(to) ? -1 : next<int (*)(const char*, const char*)>("link")(from, to);
}
int rename(const char* from, const char* to) noexcept {
  return reached(to) ? -1 : next<int (*)(const char*, const char*)>("rename")(from, to);
}
int unlink(const char* path) noexcept {
  return reached(path) ? -1 : next<int (*)(const char*)>("unlink")(path);
}
int remove(const char* path) noexcept {
  return reached(path) ? -1 : next<int (*)(const char*)>("remove")(path);
}
int fsync(int fd) { return reached(path_of(fd).c_str()) ? -1 : next<int (*)(int)>("fsync")(fd); }

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if ((flags & O_CREAT) != 0 && reached(path)) return -1;
  return next<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}

}  // extern "C"
