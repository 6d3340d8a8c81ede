#include "data/file_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace mnist_dist {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  const char* kind;
};

// The first that matches counts.
constexpr Signature signatures[] = {
    {0, "PK\3\4"sv, "a zip archive"},
    {0, "PK\5\6"sv, "an empty zip archive"},
    {0, "\x1f\x8b"sv, "a gzip archive"},
    {0, "\x1f\x9d"sv, "a compress archive"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "an xz archive"},
    {0, "\x28\xb5\x2f\xfd"sv, "a Zstandard archive"},
    {0, "\x04\x22\x4d\x18"sv, "an LZ4 archive"},
    {0, "]\0\0\x80\0"sv, "an LZMA archive"},
    {0, "BZh"sv, "a bzip2 archive"},
    {0, "Rar!\x1a\x07"sv, "a RAR archive"},
    {257, "ustar"sv, "a tar archive"},
    {0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file"},
    {0, "\x93NUMPY"sv, "a NumPy array"},
    {0, "PAR1"sv, "a Parquet file"},
    {0, "ARROW1"sv, "an Arrow file"},
    {0, "\x89PNG\r\n"sv, "a PNG image"},
    {0, "\xff\xd8\xff"sv, "a JPEG image"},
    {0, "GIF8"sv, "a GIF image"},
    {0, "%PDF-"sv, "a PDF document"},
    {0, "SQLite format 3\0"sv, "an SQLite database"},
    {0,
     "\x7f"
     "ELF"sv,
     "a program"},
    {0, "\xff\xfe"sv, "a text file"},  // UTF-16
    {0, "\xfe\xff"sv, "a text file"},
    {0, "version https://git-lfs.github.com/spec/"sv, "a Git LFS pointer"},
    {0, "/annex/objects/"sv, "a git-annex pointer"},
};

// After blanks, in lower case.
constexpr std::pair<std::string_view, const char*> markups[] = {
    {"<!doctype html", "a web page"},
    {"<html", "a web page"},
    {"<head", "a web page"},
    {"<body", "a web page"},
    {"<?xml", "an XML document"},
    {"<", "a web page"},
    {"{", "JSON text"},
    {"[", "JSON text"},
};

bool is_text(std::string_view head) {
  return std::ranges::all_of(head, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7f
                        : byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f';
  });
}

std::string text_kind(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  std::string lower(text.substr(0, 64));
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  for (const auto& [start, kind] : markups)
    if (lower.starts_with(start)) return kind;
  return "a text file";
}

}  // namespace

std::string file_kind(std::span<const std::byte> head) {
  if (head.empty()) return "an empty file";
  const std::string_view text(reinterpret_cast<const char*>(head.data()),
                              std::min<std::size_t>(head.size(), 4096));
  // NumPy's archive of arrays is a zip archive, with the name of an array behind the first header.
  if (text.starts_with("PK\3\4") && text.substr(0, 256).find(".npy") != text.npos)
    return "a NumPy archive (npz)";
  for (const auto& [offset, bytes, kind] : signatures)
    if (text.size() >= offset && text.substr(offset).starts_with(bytes)) return kind;
  if (std::ranges::all_of(text, [](char c) { return c == 0; })) return "zero bytes";
  if (is_text(text)) return text_kind(text);
  std::string bytes = "bytes";
  for (const std::byte byte : head.first(std::min<std::size_t>(head.size(), 4)))
    bytes += fmt::format(" {:02x}", std::to_integer<int>(byte));
  return bytes;
}

}  // namespace mnist_dist
