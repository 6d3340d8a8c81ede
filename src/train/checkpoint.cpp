#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "data/hdf5.h"

namespace mnist_dist {
namespace {

namespace fs = std::filesystem;

constexpr int checkpoint_format = 1;
constexpr const char* file_name = "checkpoint.h5";
constexpr const char* previous_name = "checkpoint.prev.h5";
constexpr const char* next_name = "checkpoint.next.tmp";

/// The one list of a checkpoint's contents: writing, reading and hashing all walk it.
template <class C, class Visitor>
void visit(C& c, Visitor&& v) {
  v.text("recipe", c.recipe);
  v.text("data_hash", c.data_hash);
  v.text("engine", c.engine);
  v.integer("seed", c.seed);
  v.integer("epoch", c.epoch);
  v.integer("step", c.step);
  v.integer("finished", c.finished);
  v.integer("updates", c.state.updates);
  v.integer("epoch_images", c.sums.images);
  v.integer("epoch_correct", c.sums.correct);
  v.integer("best_epoch", c.best.epoch);
  v.real("epoch_loss", c.sums.loss);
  v.real("seconds", c.seconds);
  v.real("epoch_seconds", c.epoch_seconds);
  v.real("best_accuracy", c.best.accuracy);
  v.vector("/parameters", c.state.parameters);
  v.vector("/norm_statistics", c.state.norm_statistics);
  v.vector("/momentum", c.state.momentum);
  v.vector("/average_parameters", c.state.average_parameters);
  v.vector("/average_norm_statistics", c.state.average_norm_statistics);
  // Older checkpoints do not have these. They stay out of the hash where they are not set.
  v.optional("data_set", c.data_set);
  v.optional("data_mean", c.data_mean);
  v.optional("data_sd", c.data_sd);
  v.optional("initial_sha256", c.initial_sha256);
  v.optional("layout", c.layout);
}

/// Everything in one run of bytes, name by name. Ranks exchange it, and the hash is over it.
struct Packer {
  std::vector<std::byte> bytes;
  void add(const void* data, std::size_t size) {
    const auto* from = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), from, from + size);
  }
  void sized(const void* data, std::size_t count, std::size_t element) {
    const std::uint64_t n = count;
    add(&n, sizeof n);
    add(data, count * element);
  }
  void name(const char* text) { sized(text, std::strlen(text), 1); }
  void text(const char* key, const std::string& value) {
    name(key), sized(value.data(), value.size(), 1);
  }
  template <class T>
  void integer(const char* key, T value) {
    const auto wide = static_cast<std::int64_t>(value);
    name(key), add(&wide, sizeof wide);
  }
  void real(const char* key, double value) { name(key), add(&value, sizeof value); }
  void vector(const char* key, const std::vector<float>& values) {
    name(key), sized(values.data(), values.size(), sizeof(float));
  }
  void optional(const char* key, double value) {
    if (value != 0) real(key, value);
  }
  void optional(const char* key, const std::string& value) {
    if (!value.empty()) text(key, value);
  }
};

struct Unpacker {
  std::span<const std::byte> bytes;
  void take(void* out, std::size_t size) {
    std::copy_n(bytes.begin(), size,
                static_cast<std::byte*>(out));  // memcpy would forbid an empty vector's null
    bytes = bytes.subspan(size);
  }
  std::size_t count() {
    std::uint64_t n = 0;
    take(&n, sizeof n);
    return n;
  }
  void skip_name() { bytes = bytes.subspan(count()); }
  void text(const char*, std::string& value) {
    skip_name(), value.resize(count()), take(value.data(), value.size());
  }
  template <class T>
  void integer(const char*, T& value) {
    std::int64_t wide = 0;
    skip_name(), take(&wide, sizeof wide);
    value = static_cast<T>(wide);
  }
  void real(const char*, double& value) { skip_name(), take(&value, sizeof value); }
  void vector(const char*, std::vector<float>& values) {
    skip_name(), values.resize(count()), take(values.data(), values.size() * sizeof(float));
  }
  bool next_is(const char* key) const {
    Packer packer;
    packer.name(key);
    const std::span<const std::byte> name(packer.bytes);
    return bytes.size() >= name.size() && std::ranges::equal(bytes.first(name.size()), name);
  }
  void optional(const char* key, double& value) {
    if (next_is(key)) real(key, value);
  }
  void optional(const char* key, std::string& value) {
    if (next_is(key)) text(key, value);
  }
};

std::string content_hash(const Checkpoint& checkpoint) { return hex(sha256(pack(checkpoint))); }

struct Writer {
  Hdf5Writer& file;
  void text(const char* name, const std::string& value) { file.attribute(name, value); }
  template <class T>
  void integer(const char* name, T value) {
    file.attribute(name, static_cast<std::int64_t>(value));
  }
  void real(const char* name, double value) { file.attribute(name, value); }
  void vector(const char* name, const std::vector<float>& values) {
    if (!values.empty()) file.dataset(name, std::span<const float>(values), {values.size()});
  }
  template <class T>
  void optional(const char* name, const T& value) {
    if (value != T{}) file.attribute(name, value);
  }
};

struct Reader {
  const Hdf5Reader& file;
  void text(const char* name, std::string& value) { value = file.text(name); }
  template <class T>
  void integer(const char* name, T& value) {
    value = static_cast<T>(file.integer(name));
  }
  void real(const char* name, double& value) { value = file.real(name); }
  void vector(const char* name, std::vector<float>& values) {
    if (file.has(name)) values = file.read<float>(name);
  }
  void optional(const char* name, double& value) {
    if (file.has_attribute(name)) value = file.real(name);
  }
  void optional(const char* name, std::string& value) {
    if (file.has_attribute(name)) value = file.text(name);
  }
};

bool is_whole(const fs::path& checkpoint) {
  if (!fs::exists(checkpoint)) return false;
  try {
    load_checkpoint(checkpoint);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void keep_as_previous(const fs::path& folder) {
  const fs::path newest = folder / file_name, previous = folder / previous_name,
                 link = folder / "checkpoint.link.tmp";
  std::error_code error;
  if (fs::equivalent(newest, previous, error))
    return;  // killed here before: a rename between two links of one file does nothing
  fs::remove(link, error);
  fs::create_hard_link(newest, link, error);
  rename_file(error ? newest : link, previous);  // there are file systems without hard links
}

}  // namespace

std::string place_text(std::uint32_t epoch, int step) {
  return step == 0 ? fmt::format("epoch {}", epoch)
                   : fmt::format("epoch {} step {}", epoch + 1, step);
}

std::vector<std::byte> pack(const Checkpoint& checkpoint) {
  Packer packer;
  visit(checkpoint, packer);
  return packer.bytes;
}

Checkpoint unpack(std::span<const std::byte> bytes) {
  Checkpoint checkpoint;
  visit(checkpoint, Unpacker{bytes});
  return checkpoint;
}

void save_checkpoint(const fs::path& folder, const Checkpoint& checkpoint) {
  Hdf5Writer file;
  visit(checkpoint, Writer{file});
  file.attribute("checkpoint_format", std::int64_t{checkpoint_format});
  file.attribute("content_sha256", content_hash(checkpoint));
  const auto bytes = file.finish();

  // The new one is whole on disk before any other is touched, and a damaged newest one never
  // replaces the one before it: at no moment is the folder without a good checkpoint.
  const fs::path newest = folder / file_name, next = folder / next_name;
  write_file_atomically(next, bytes);
  if (is_whole(newest)) keep_as_previous(folder);
  rename_file(next, newest);
}

Checkpoint load_checkpoint(const fs::path& path, const std::string& hint) {
  const Hdf5Reader file(path, hint);
  if (!file.has_attribute("checkpoint_format") || !file.has_attribute("content_sha256"))
    throw data_error(fmt::format("{} is not a checkpoint", path.string()), hint);
  if (const auto format = file.integer("checkpoint_format"); format != checkpoint_format)
    throw data_error(fmt::format("{} has checkpoint format {}, this program reads {}",
                                 path.string(), format, checkpoint_format),
                     "use the mnist-dist that wrote it");
  Checkpoint checkpoint;
  visit(checkpoint, Reader{file});
  if (content_hash(checkpoint) != file.text("content_sha256"))
    throw damaged_file_error(path.string(), "its contents do not match their SHA-256", hint);
  return checkpoint;
}

std::optional<Found> newest_checkpoint(const fs::path& folder) {
  const fs::path newest = folder / file_name, previous = folder / previous_name;
  const std::string hint = fmt::format(
      "put a copy of a checkpoint there, or remove {} and train it again", folder.string());
  if (!fs::exists(newest) && !fs::exists(previous)) return std::nullopt;
  if (!fs::exists(newest))
    return Found{load_checkpoint(previous, hint), fmt::format("{} is missing", newest.string())};
  try {
    return Found{load_checkpoint(newest, hint), ""};
  } catch (const FileInUse&) {
    throw;  // it may be whole, and is not to be replaced
  } catch (const Error& newest_error) {
    if (!fs::exists(previous)) throw;
    return Found{load_checkpoint(previous, hint), newest_error.what()};
  }
}

std::string weights_sha256(std::span<const float> parameters,
                           std::span<const float> norm_statistics) {
  static_assert(std::endian::native == std::endian::little);
  return hex(Sha256().add(std::as_bytes(parameters)).add(std::as_bytes(norm_statistics)).digest());
}

}  // namespace mnist_dist
