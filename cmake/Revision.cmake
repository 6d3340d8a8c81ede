# Writes the commit of SOURCE_DIR to OUT, if OUT differs. It is "" if SOURCE_DIR is not itself the
# top of a git repository, because a source archive may be inside another project's.
set(git ${CMAKE_COMMAND} -E env --unset=GIT_DIR --unset=GIT_WORK_TREE --unset=GIT_INDEX_FILE
  git -C "${SOURCE_DIR}")
execute_process(COMMAND ${git} rev-parse --show-toplevel
  OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(revision "")
if(top)
  file(REAL_PATH "${top}" top)
  file(REAL_PATH "${SOURCE_DIR}" source)
  if(top STREQUAL source)
    execute_process(COMMAND ${git} describe --always --dirty --abbrev=12 --exclude=*
      OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()
file(CONFIGURE OUTPUT "${OUT}" CONTENT [[
#include "base/version.h"

namespace mnist_dist {

const char* const revision = "@revision@";

}  // namespace mnist_dist
]] @ONLY)
