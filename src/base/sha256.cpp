#include "base/sha256.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include "base/error.h"

namespace mnist_dist {

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(md); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (EVP_DigestInit_ex(context_->md, EVP_sha256(), nullptr) != 1)
    throw Error(ExitCode::internal, "OpenSSL offers no SHA-256", "check the OpenSSL installation");
}
Sha256::~Sha256() = default;

Sha256& Sha256::add(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(context_->md, bytes.data(), bytes.size());
  return *this;
}

Sha256Digest Sha256::digest() {
  Sha256Digest out{};
  EVP_DigestFinal_ex(context_->md, out.data(), nullptr);
  return out;
}

Sha256Digest sha256(std::span<const std::byte> bytes) { return Sha256().add(bytes).digest(); }

std::string hex(std::span<const unsigned char> bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace mnist_dist
