// To preload: what a library that was linked with -ffast-math does when it is loaded.
namespace {

[[gnu::constructor]] void flush_to_zero() {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040u);  // FTZ and DAZ
#elif defined(__aarch64__)
  __builtin_aarch64_set_fpcr(__builtin_aarch64_get_fpcr() | (1u << 24));
#endif
}

}  // namespace
