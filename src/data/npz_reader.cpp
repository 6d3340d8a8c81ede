#include "data/npz_reader.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "data/file_kind.h"
#include "data/payload.h"

namespace mnist_dist {
namespace {

constexpr const char* hint = "replace the file with a whole copy";

/// Little-endian numbers of a ZIP archive. Throws std::out_of_range beyond the end.
class Cursor {
 public:
  Cursor(std::string_view bytes, std::uint64_t at) : bytes_(bytes), at_(at) {}
  std::uint64_t number(std::size_t size) {
    const std::string_view taken = text(size);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(taken[i]);
    return value;
  }
  std::string_view text(std::uint64_t size) {
    if (at_ > bytes_.size() || size > bytes_.size() - at_) throw std::out_of_range("truncated");
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }

 private:
  std::string_view bytes_;
  std::uint64_t at_;
};

/// The last "end of central directory" record.
std::uint64_t find_end(std::string_view bytes) {
  const std::size_t at = bytes.rfind("PK\5\6");
  if (at == bytes.npos) throw std::out_of_range("no directory");
  return at;
}

/// Inflates a member without a header. `out` has the size that it must get.
bool inflate_raw(std::string_view packed, std::string& out) {
  z_stream z{};
  if (::inflateInit2(&z, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, decltype(&::inflateEnd)> end(&z, &::inflateEnd);
  // zlib counts in 32 bits.
  constexpr std::size_t step = std::size_t{1} << 30;
  std::size_t in = 0, made = 0;
  int code = Z_OK;
  while (code == Z_OK || code == Z_BUF_ERROR) {
    const std::size_t offer = std::min(step, packed.size() - in),
                      room = std::min(step, out.size() - made);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + in));
    z.avail_in = static_cast<uInt>(offer);
    z.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    z.avail_out = static_cast<uInt>(room);
    code = ::inflate(&z, Z_NO_FLUSH);
    in += offer - z.avail_in;
    made += room - z.avail_out;
    if (code != Z_STREAM_END && offer == z.avail_in && room == z.avail_out)
      return false;  // no progress
  }
  return code == Z_STREAM_END && made == out.size();
}

/// The value of `key` in the header of a .npy file, a Python dictionary: up to the next comma
/// outside of parentheses.
std::string_view header_value(std::string_view header, std::string_view key) {
  const std::size_t at = header.find(fmt::format("'{}':", key));
  if (at == header.npos) return {};
  std::string_view rest = header.substr(at + key.size() + 3);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const std::size_t end = rest.starts_with('(') ? rest.find(')') + 1 : rest.find_first_of(",}");
  return rest.substr(0, end);
}

std::optional<std::vector<std::size_t>> shape_in(std::string_view text) {
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::size_t> shape;
  while (!text.empty()) {
    while (text.starts_with(' ') || text.starts_with(',')) text.remove_prefix(1);
    if (text.empty()) break;
    std::size_t extent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    shape.push_back(extent);
  }
  return shape;
}

}  // namespace

std::string NpyArray::type_text() const {
  const char* const name = kind == 'u'   ? "uint"
                           : kind == 'i' ? "int"
                           : kind == 'f' ? "float"
                                         : nullptr;
  return name ? fmt::format("{}{}", name, 8 * bytes) : kind == 'b' ? "bool" : "a different type";
}

NpzReader::NpzReader(const std::filesystem::path& file) : file_(file.string()) {
  stream_payload(file, most_payload_bytes, [&](std::span<const std::byte> part) {
    bytes_.append(reinterpret_cast<const char*>(part.data()), part.size());
    return bytes_.size() <= most_payload_bytes;
  });
  if (bytes_.size() > most_payload_bytes)
    throw data_error(fmt::format("{}: too long (more than {} bytes)", file_, most_payload_bytes),
                     "split the file");
  if (!bytes_.starts_with("PK"))
    throw data_error(fmt::format("{}: not a NumPy archive (got {})", file_,
                                 file_kind(std::as_bytes(std::span(bytes_).first(
                                     std::min<std::size_t>(bytes_.size(), 512))))),
                     "write one with numpy.savez");
  try {
    read_directory();
  } catch (const std::out_of_range&) {
    throw data_error(fmt::format("{}: its directory is damaged", file_), hint);
  }
}

void NpzReader::read_directory() {
  Cursor end(bytes_, find_end(bytes_));
  end.text(10);
  const std::uint64_t count = end.number(2);
  end.number(4);
  Cursor entry(bytes_, end.number(4));
  for (std::uint64_t i = 0; i < count; ++i) {
    if (entry.text(4) != "PK\1\2") throw std::out_of_range("no entry");
    entry.text(6);
    Member member{};
    member.method = static_cast<int>(entry.number(2));
    entry.text(4);
    member.crc = static_cast<std::uint32_t>(entry.number(4));
    member.packed = entry.number(4);
    member.size = entry.number(4);
    const std::uint64_t name_size = entry.number(2), extra = entry.number(2),
                        comment = entry.number(2);
    entry.text(8);
    member.offset = entry.number(4);
    std::string name(entry.text(name_size));
    entry.text(extra + comment);
    if (name.ends_with(".npy")) members_.emplace(name.substr(0, name.size() - 4), member);
  }
}

std::vector<std::string> NpzReader::names() const {
  std::vector<std::string> names;
  for (const auto& [name, member] : members_) names.push_back(name);
  return names;
}

std::string NpzReader::unpack(const std::string& name, const Member& member) const {
  const auto damaged = [&](const std::string& what) {
    return data_error(fmt::format("{}: array {}: {}", file_, name, what), hint);
  };
  Cursor local(bytes_, member.offset);
  std::string_view packed;
  try {
    if (local.text(4) != "PK\3\4") throw std::out_of_range("no header");
    local.text(22);
    const std::uint64_t name_size = local.number(2), extra = local.number(2);
    local.text(name_size + extra);
    packed = local.text(member.packed);
  } catch (const std::out_of_range&) {
    throw damaged("truncated");
  }
  if (member.size > most_payload_bytes || member.size > most_deflation * (packed.size() + 1))
    throw damaged(fmt::format("{} bytes cannot be packed in {}", member.size, packed.size()));
  std::string out;
  if (member.method == 0) {
    out = packed;
  } else if (member.method == 8) {
    out.resize(member.size);
    if (!inflate_raw(packed, out)) throw damaged("cannot unpack");
  } else {
    throw damaged(fmt::format("packed by method {} (expected 0 or 8)", member.method));
  }
  if (out.size() != member.size ||
      ::crc32_z(0, reinterpret_cast<const Bytef*>(out.data()), out.size()) != member.crc)
    throw damaged("its checksum is wrong");
  return out;
}

NpyArray NpzReader::read(const std::string& array) const {
  const std::string member = unpack(array, members_.at(array));
  const auto damaged = [&](const std::string& what, const char* what_to_do = hint) {
    return data_error(fmt::format("{}: array {}: {}", file_, array, what), what_to_do);
  };
  std::string_view header, values;
  try {
    Cursor cursor(member, 0);
    if (cursor.text(6) != "\x93NUMPY") throw damaged("not a NumPy array");
    const std::uint64_t version = cursor.number(1);
    cursor.number(1);
    header = cursor.text(cursor.number(version == 1 ? 2 : 4));
    values = std::string_view(member).substr(
        static_cast<std::size_t>(header.data() - member.data()) + header.size());
  } catch (const std::out_of_range&) {
    throw damaged("truncated");
  }
  NpyArray out;
  std::string_view type = header_value(header, "descr");
  const auto shape = shape_in(header_value(header, "shape"));
  if (type.size() < 5 || type.front() != '\'' || type.back() != '\'' || !shape)
    throw damaged("damaged header, or not a plain array");
  type = type.substr(1, type.size() - 2);
  out.big_endian = type[0] == '>';
  out.kind = type[1];
  std::from_chars(type.data() + 2, type.data() + type.size(), out.bytes);
  out.shape = *shape;
  if (header_value(header, "fortran_order") != "False")
    throw damaged("stored column after column", "write it with numpy.ascontiguousarray");
  double expected = out.bytes;
  for (const std::size_t extent : out.shape) expected *= static_cast<double>(extent);
  if (out.bytes < 1 || expected != static_cast<double>(values.size()))
    throw damaged(fmt::format("{} bytes of values (expected {:.0f})", values.size(), expected));
  const auto bytes = std::as_bytes(std::span(values));
  out.values.assign(bytes.begin(), bytes.end());
  return out;
}

}  // namespace mnist_dist
