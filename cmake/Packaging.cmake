# `ninja -C build deb`: mnist-dist_VERSION_ARCH.deb and, in a build with the reference engine,
# mnist-dist-torch_VERSION_ARCH.deb. The first one does not depend on LibTorch (2 GB).

# The program looks for share/mnist-dist in its own folder, then beside that folder (base/share.h).
# In a build folder it is a link to the source tree. The link is relative, so a moved tree still
# finds its own files.
if(NOT CMAKE_SOURCE_DIR STREQUAL CMAKE_BINARY_DIR)
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/share")
  file(RELATIVE_PATH source "${CMAKE_BINARY_DIR}/share" "${CMAKE_SOURCE_DIR}")
  file(CREATE_LINK "${source}" "${CMAKE_BINARY_DIR}/share/mnist-dist" SYMBOLIC)
endif()

set(shared "${CMAKE_INSTALL_DATADIR}/mnist-dist")
install(DIRECTORY configs DESTINATION "${shared}" FILES_MATCHING PATTERN "*.toml")
install(FILES tools/pytorch_peer.py DESTINATION "${shared}/tools")  # bench --pytorch starts it
install(DIRECTORY data/mnist DESTINATION "${shared}/data")
install(FILES data/README.md DESTINATION "${shared}/data")  # the authors and the licence of MNIST
install(PROGRAMS launch/local.sh launch/preflight.sh launch/hosts.sh launch/slurm.sbatch
  DESTINATION "${shared}/launch")
install(FILES launch/lib.sh launch/ranks.sh launch/cluster.sh launch/watch.sh launch/host_probe.sh
  DESTINATION "${shared}/launch")
install(FILES packaging/completion.bash RENAME mnist-dist
  DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")

# The manual: one page for the program and one per command, from their --help.
find_program(HELP2MAN help2man)
set(documentation "${CMAKE_BINARY_DIR}/packaging")
if(HELP2MAN)
  set(pages "${documentation}/man/mnist-dist.1.gz")
  add_custom_command(OUTPUT ${pages}
    COMMAND ${CMAKE_COMMAND} -E env "EMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}"
      "${CMAKE_SOURCE_DIR}/packaging/man_pages.sh" $<TARGET_FILE:mnist-dist> "${documentation}/man"
    DEPENDS mnist-dist packaging/man_pages.sh VERBATIM)
  add_custom_target(man ALL DEPENDS ${pages})
  install(DIRECTORY "${documentation}/man/" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
else()
  message(STATUS "Without help2man (launch/setup.sh installs it) there are no manual pages")
endif()

set(CPACK_PACKAGE_VENDOR "mnist-dist")
set(CPACK_PACKAGE_CONTACT "The mnist-dist authors <maintainers@mnist-dist.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "distributed trainer of small networks on MNIST")
set(CPACK_COMPONENT_UNSPECIFIED_DESCRIPTION
"mnist-dist trains small convolutional networks on the MNIST digits.
A recipe and a seed give the same bytes on any number of MPI ranks and
threads. The digits, the recipes and the scripts that start ranks on
one host or on several are included.")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)  # NAME_VERSION_ARCH.deb, without a release number
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)  # xz takes 10 s and cannot shrink the gzipped digits
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

# Two packages: the component `torch` (src/engine/torch) and everything else.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL Unspecified)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_NAME mnist-dist)
# mpirun, which no library dependency brings. The scripts in launch/ use ssh.
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_RECOMMENDS openssh-client)
if(TARGET mnist-dist-torch)
  list(APPEND CPACK_COMPONENTS_ALL torch)
  set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_SUGGESTS mnist-dist-torch)
  set(CPACK_DEBIAN_TORCH_PACKAGE_NAME mnist-dist-torch)
  set(CPACK_DEBIAN_TORCH_PACKAGE_DEPENDS "mnist-dist (= ${PROJECT_VERSION})")
  set(CPACK_COMPONENT_TORCH_DESCRIPTION "the reference engine of mnist-dist, with LibTorch")
  install(FILES packaging/copyright DESTINATION "${CMAKE_INSTALL_DOCDIR}-torch" COMPONENT torch)
endif()
string(TIMESTAMP date "%a, %d %b %Y 00:00:00 +0000" UTC)
configure_file(packaging/changelog.in "${documentation}/changelog" @ONLY)
execute_process(COMMAND gzip -9nf "${documentation}/changelog" COMMAND_ERROR_IS_FATAL ANY)
install(FILES packaging/copyright "${documentation}/changelog.gz"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
include(CPack)

# The target `package` would build the tests too.
add_custom_target(deb COMMAND ${CMAKE_CPACK_COMMAND} -G DEB USES_TERMINAL VERBATIM)
add_dependencies(deb mnist-dist)
foreach(part man mnist-dist-torch)
  if(TARGET ${part})
    add_dependencies(deb ${part})
  endif()
endforeach()
