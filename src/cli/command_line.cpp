#include "cli/command_line.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace mnist_dist {

std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string line((std::istreambuf_iterator<char>(file)), {});
  if (line.ends_with('\0')) line.pop_back();
  std::replace(line.begin(), line.end(), '\0', ' ');
  return line;
}

}  // namespace mnist_dist
