# The flags of every target of ours, and the functions that declare one.
include(GNUInstallDirs)

add_library(mnist_dist_flags INTERFACE)
target_include_directories(mnist_dist_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(mnist_dist_flags INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;\
$<$<BOOL:${MNIST_DIST_WERROR}>:-Werror>>"
  "-include;${CMAKE_SOURCE_DIR}/src/base/exact_math.h"
  # The bits of a run must not depend on which multiply-adds a compiler chose to fuse.
  $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>
  "$<$<COMPILE_LANGUAGE:CUDA>:-fmad=false;--expt-relaxed-constexpr;\
-Xcompiler=-Wall,-Wextra,-ffp-contract=off>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-ftz=false;-prec-div=true;-prec-sqrt=true>"
  # Makes std::fma and std::sqrt one instruction. Changes no result.
  "$<$<COMPILE_LANGUAGE:CXX>:-fno-math-errno;-fno-trapping-math>")
if(MNIST_DIST_SANITIZE)
  target_compile_options(mnist_dist_flags INTERFACE -fsanitize=${MNIST_DIST_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer
    # With sanitizers, GCC reports false uninitialised members in std::regex.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(mnist_dist_flags INTERFACE -fsanitize=${MNIST_DIST_SANITIZE})
endif()

# mnist_dist_library(NAME sources... [LINK public libraries...] [PRIVATE private libraries...])
function(mnist_dist_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK;PRIVATE")
  add_library(${name} STATIC ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC mnist_dist_flags ${arg_LINK} PRIVATE ${arg_PRIVATE})
endfunction()

# mnist_dist_kernels(NAME sources... [LINK public libraries...])
# As mnist_dist_library, for .cu files that run on the host too (base/kernel.h): compiled for GPUs
# in a build for GPUs, otherwise as C++.
function(mnist_dist_kernels name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK")
  mnist_dist_library(${name} ${arg_UNPARSED_ARGUMENTS} LINK ${arg_LINK})
  if(MNIST_DIST_CUDA)
    target_link_libraries(${name} PUBLIC CUDA::cudart)
  else()
    list(FILTER arg_UNPARSED_ARGUMENTS INCLUDE REGEX "\\.cu$")
    set_source_files_properties(${arg_UNPARSED_ARGUMENTS} PROPERTIES LANGUAGE CXX)
  endif()
endfunction()

# mnist_dist_test(NAME sources... [TIMEOUT seconds] [LINK libraries...] [LABELS labels...])
# One GoogleTest program. Each of its tests is one CTest test, tests/data -> "data.Idx.ReadsGzip".
# The target unit_tests builds all of them.
function(mnist_dist_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LINK;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name}_test ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(${name}_test PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_link_libraries(${name}_test PRIVATE mnist_dist_flags ${arg_LINK}
    GTest::gmock GTest::gtest_main)
  # Tests compile in half to three quarters of the time. The tested libraries are optimised.
  target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  if(MNIST_DIST_SANITIZE)  # compilers have different names for it
    target_compile_definitions(${name}_test PRIVATE MNIST_DIST_SANITIZE)
    target_compile_options(${name}_test PRIVATE -O0)
  endif()
  gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  add_dependencies(unit_tests ${name}_test)
endfunction()

# mnist_dist_skipped_test(NAME reason)
# Stands for a test that this build cannot have. CTest reports it as skipped.
function(mnist_dist_skipped_test name reason)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${reason}")
  set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped: ")
endfunction()
