#include "base/sha256.h"

#include <gtest/gtest.h>

#include <string_view>

namespace mnist_dist {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// FIPS 180-4's examples.
TEST(Sha256, MatchesTheStandard) {
  EXPECT_EQ(hex(sha256(bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, PartsMakeTheWhole) {
  Sha256 parts;
  parts.add(bytes("a")).add(bytes("")).add(bytes("bc"));
  EXPECT_EQ(parts.digest(), sha256(bytes("abc")));
}

}  // namespace
}  // namespace mnist_dist
