#pragma once
// The SIMD targets that are compiled; to be included before Highway. Not those that could only give one CPU other bits than its neighbour, or that
// nobody lacks a better one for: what is above AVX-512's common part (Highway counts from the best, AVX3 is bit 8), SSSE3, and what is above NEON
// (bits 15 to 27), whose vectors have no fixed length.
#define HWY_DISABLED_TARGETS ((HWY_AVX3 - 1) | HWY_SSSE3 | (HWY_NEON - (1LL << 15)))
