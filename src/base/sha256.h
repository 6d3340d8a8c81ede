#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace mnist_dist {

using Sha256Digest = std::array<unsigned char, 32>;

/// SHA-256 over bytes that come in parts (OpenSSL's).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256& add(std::span<const std::byte> bytes);
  /// Ends the hash. Call once.
  Sha256Digest digest();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Sha256Digest sha256(std::span<const std::byte> bytes);
/// Lower-case hexadecimal.
std::string hex(std::span<const unsigned char> bytes);
/// 64 lower-case hexadecimal digits.
bool is_sha256(const std::string& text);

}  // namespace mnist_dist
