# Tests on several ranks.
#
# mpirun_command(VARIABLE ranks)
# The command line before a program, as a list. Ranks may outnumber cores. mpirun needs variables to
# run as root. Ranks of one host need no network card. With some cards, Open MPI 5 prints that a
# host cannot reach itself.
function(mpirun_command variable ranks)
  execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND ${MPIEXEC_EXECUTABLE} --version OUTPUT_VARIABLE version ERROR_QUIET)
  if(version MATCHES "\\((Open MPI|OpenRTE)\\) 4")  # mpiexec calls itself OpenRTE
    set(quiet -q)  # Open MPI 5 has no such option
  endif()
  set(command ${MPIEXEC_EXECUTABLE} ${quiet} --oversubscribe --bind-to none
    --mca btl_tcp_if_include lo ${MPIEXEC_NUMPROC_FLAG} ${ranks})
  if(user EQUAL 0)
    set(command ${CMAKE_COMMAND} -E env
      OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 ${command})
  endif()
  set(${variable} "${command}" PARENT_SCOPE)
endfunction()

# mnist_dist_mpi_test(NAME sources... RANKS counts... [LINK libraries...] [LABELS labels...])
# One GoogleTest program whose tests all ranks run together (tests/comm/mpi_test.h). One CTest test
# per number of ranks, "NAME.np4", with the label mpi.
function(mnist_dist_mpi_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "RANKS;LINK;LABELS")
  add_executable(${name}_mpi_test ${arg_UNPARSED_ARGUMENTS}
    "${CMAKE_SOURCE_DIR}/tests/comm/mpi_test_main.cpp")
  target_include_directories(${name}_mpi_test PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_link_libraries(${name}_mpi_test PRIVATE mnist_dist_flags comm ${arg_LINK}
    GTest::gmock GTest::gtest)
  foreach(ranks IN LISTS arg_RANKS)
    mpirun_command(mpirun ${ranks})
    add_test(NAME ${name}.np${ranks} COMMAND ${mpirun} $<TARGET_FILE:${name}_mpi_test>)
    # Open MPI does not free its memory, which is no leak of ours.
    set_tests_properties(${name}.np${ranks} PROPERTIES
      TIMEOUT 120 LABELS "mpi;${arg_LABELS}"
      ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")
  endforeach()
endfunction()
