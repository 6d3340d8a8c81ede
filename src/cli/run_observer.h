#pragma once
#include "report/run_files.h"
#include "sweep/seed_run.h"

namespace mnist_dist {

/// Makes the observers that write run folders, of `train` or of a sweep's seeds. `recipe`: as
/// results name it, by default recipe_title.
MakeObserver run_files(RunOutputs outputs, const std::string& recipe = "");

}  // namespace mnist_dist
