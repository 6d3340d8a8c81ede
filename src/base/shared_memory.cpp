#include "base/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <string>

namespace mnist_dist {
namespace {

constexpr char prefix[] = "/memfd:", suffix[] = " (deleted)";  // of a link to such memory in /proc

/// "" for a descriptor of anything else, or of a process that is not in reach.
std::string name_of(const std::string& link) {
  std::array<char, 256> target{};
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  const std::string text(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  if (!text.starts_with(prefix) || !text.ends_with(suffix)) return "";
  return text.substr(sizeof prefix - 1, text.size() - (sizeof prefix - 1) - (sizeof suffix - 1));
}

std::string link_to(int pid, int descriptor) {
  return fmt::format("/proc/{}/fd/{}", pid, descriptor);
}

}  // namespace

void SharedMemory::Unmap::operator()(std::byte* memory) const { ::munmap(memory, size); }

SharedMemory::Memory SharedMemory::map(int descriptor, std::size_t size, int protection) {
  void* const memory = ::mmap(nullptr, size, protection, MAP_SHARED, descriptor, 0);
  return {memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory), {size}};
}

std::optional<SharedMemory> SharedMemory::make(
    std::size_t size, const std::function<void(std::span<std::byte>)>& fill) {
  std::random_device random;
  const std::string name = fmt::format("mnist-dist-{:08x}{:08x}", random(), random());
  Descriptor file(::memfd_create(name.c_str(), MFD_CLOEXEC));
  // Memory that is not there would be a signal at the first write to it.
  if (file.get() < 0 || ::posix_fallocate(file.get(), 0, static_cast<off_t>(size)) != 0)
    return std::nullopt;
  Memory memory = map(file.get(), size, PROT_READ | PROT_WRITE);
  if (!memory) return std::nullopt;
  fill({memory.get(), size});
  ::mprotect(memory.get(), size, PROT_READ);
  return SharedMemory(std::move(file), std::move(memory));
}

std::optional<SharedMemory> SharedMemory::open(const Place& place) {
  const std::string link = link_to(place.pid, place.descriptor), name = place.name.data();
  // On a different host or in a different container, the number is that of a different process.
  if (name.empty() || name_of(link) != name) return std::nullopt;
  Descriptor file(::open(link.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || name_of(link_to(::getpid(), file.get())) != name ||
      ::fstat(file.get(), &status) != 0)
    return std::nullopt;
  Memory memory = map(file.get(), static_cast<std::size_t>(status.st_size), PROT_READ);
  if (!memory) return std::nullopt;
  return SharedMemory(std::move(file), std::move(memory));
}

SharedMemory::Place SharedMemory::place() const {
  Place place{::getpid(), file_.get(), {}};
  const std::string name = name_of(link_to(place.pid, place.descriptor));
  name.copy(place.name.data(), place.name.size() - 1);
  return place;
}

}  // namespace mnist_dist
