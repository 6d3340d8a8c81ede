#include "data/payload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/descriptor.h"
#include "base/error.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t part_size = 64 << 10;
constexpr int most_layers = 4;  // some archives unpack to themselves

Error unreadable(const fs::path& path, const std::string& problem) {
  return data_error(fmt::format("{}: {}", path.string(), problem),
                    "replace the file with a whole copy");
}

/// A sequence of bytes with a buffer of one part.
class Stream {
 public:
  Stream(fs::path path, std::size_t bound)
      : path_(std::move(path)), bound_(bound), buffer_(part_size) {}
  virtual ~Stream() = default;

  /// The bytes that come next: at least two, except at the end.
  std::span<const std::byte> peek() {
    if (rest_.size() < 2) {
      std::copy(rest_.begin(), rest_.end(), buffer_.begin());
      const std::size_t kept = rest_.size(), got = fill(std::span(buffer_).subspan(kept));
      rest_ = std::span(buffer_).first(kept + got);
      total_ += got;
      if (total_ > bound_)
        throw unreadable(path_, fmt::format("too long (more than {} bytes)", bound_));
    }
    return rest_;
  }
  void consume(std::size_t count) { rest_ = rest_.subspan(count); }

  bool is_gzipped() {
    const auto next = peek();
    return next.size() >= 2 && next[0] == std::byte{0x1f} && next[1] == std::byte{0x8b};
  }

 protected:
  /// Fills `buffer`. Returns fewer bytes only at the end.
  virtual std::size_t fill(std::span<std::byte> buffer) = 0;
  const fs::path path_;

 private:
  std::size_t bound_, total_ = 0;
  std::vector<std::byte> buffer_;
  std::span<const std::byte> rest_;
};

class FileStream : public Stream {
 public:
  FileStream(const fs::path& path, std::size_t bound)
      : Stream(path, bound),
        file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // a pipe has no writer
    if (file_.get() < 0) throw unreadable(path, std::strerror(errno));
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) throw unreadable(path, std::strerror(errno));
    if (!S_ISREG(status.st_mode))
      throw unreadable(path, S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file");
  }

 private:
  std::size_t fill(std::span<std::byte> buffer) override {
    std::size_t had = 0;
    while (had < buffer.size()) {
      const ssize_t got = ::read(file_.get(), buffer.data() + had, buffer.size() - had);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw unreadable(path_, std::strerror(errno));
      if (got == 0) break;
      had += static_cast<std::size_t>(got);
    }
    return had;
  }

  Descriptor file_;
};

/// The contents of a gzip archive: of all its members, without trailing bytes.
class InflatedStream : public Stream {
 public:
  InflatedStream(const fs::path& path, std::size_t bound, std::unique_ptr<Stream> packed)
      : Stream(path, bound), packed_(std::move(packed)) {
    if (::inflateInit2(&z_, MAX_WBITS + 16) !=
        Z_OK)  // + 16: a gzip header, whose checksum is compared
      throw std::bad_alloc();
  }
  ~InflatedStream() override { ::inflateEnd(&z_); }
  InflatedStream(const InflatedStream&) = delete;
  InflatedStream& operator=(const InflatedStream&) = delete;

 private:
  std::size_t fill(std::span<std::byte> buffer) override {
    z_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    z_.avail_out = static_cast<uInt>(buffer.size());
    while (z_.avail_out > 0 && !ended_) inflate_some();
    return buffer.size() - z_.avail_out;
  }

  void inflate_some() {
    const auto input = packed_->peek();
    if (input.empty()) throw unreadable(path_, "cannot unpack: unexpected end of file");
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    z_.avail_in = static_cast<uInt>(input.size());
    const int code = ::inflate(&z_, Z_NO_FLUSH);
    packed_->consume(input.size() - z_.avail_in);
    if (code == Z_STREAM_END) {
      ended_ = !packed_->is_gzipped();
      if (!ended_) ::inflateReset(&z_);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      throw unreadable(path_, fmt::format("cannot unpack: {}", z_.msg ? z_.msg : ::zError(code)));
    }
  }

  std::unique_ptr<Stream> packed_;
  z_stream z_{};
  bool ended_ = false;
};

}  // namespace

void stream_payload(const fs::path& path, std::size_t limit,
                    const std::function<bool(std::span<const std::byte>)>& take) {
  const std::size_t bound =
      limit + limit / 8 + (1 << 20);  // gzip adds less than that to data that it cannot shorten
  std::unique_ptr<Stream> stream = std::make_unique<FileStream>(path, bound);
  for (int layers = 0; stream->is_gzipped(); ++layers) {
    if (layers == most_layers)
      throw unreadable(path, fmt::format("gzipped more than {} times", most_layers));
    stream = std::make_unique<InflatedStream>(path, bound, std::move(stream));
  }
  for (;;) {
    const auto part = stream->peek();
    if (part.empty() || !take(part)) return;
    stream->consume(part.size());
  }
}

std::vector<std::byte> read_payload(const fs::path& path, std::size_t limit) {
  std::vector<std::byte> bytes;
  stream_payload(path, limit, [&](std::span<const std::byte> part) {
    if (part.size() > limit - bytes.size())
      throw unreadable(path, fmt::format("too long (more than {} bytes)", limit));
    bytes.insert(bytes.end(), part.begin(), part.end());
    return true;
  });
  return bytes;
}

}  // namespace mnist_dist
