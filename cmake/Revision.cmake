# Writes OUT, the commit that SOURCE_DIR is at ("" outside git), if it is not what OUT already says.
execute_process(COMMAND git -C "${SOURCE_DIR}" describe --always --dirty --abbrev=12 --exclude=*
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(CONFIGURE OUTPUT "${OUT}" CONTENT [[
#include "base/version.h"

namespace mnist_dist {

const char* const revision = "@revision@";

}  // namespace mnist_dist
]] @ONLY)
