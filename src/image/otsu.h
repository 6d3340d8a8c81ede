#pragma once
#include <vector>

namespace mnist_dist {

/// A threshold between two classes of grey.
struct Split {
  float level = 0;
  double separability = 0;  ///< share of the variance that lies between the classes
};

/// The grey level with the most variance between the two classes that it makes (Otsu 1979, "A
/// Threshold Selection Method from Gray-Level Histograms"). `values` are from 0 to 255 and not
/// empty. All of one level have separability 0.
Split otsu(const std::vector<float>& values);

}  // namespace mnist_dist
